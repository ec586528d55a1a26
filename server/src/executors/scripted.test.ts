import { clipRequest, describeExecutor, runRequest } from "./conformance.ts";
import { ScriptedExecutor, ScriptedMachine } from "./scripted.ts";

describeExecutor("scripted", async () => {
  const machine = new ScriptedMachine(({ seed }) => (seed === 999 ? [{ do: "hang" }] : [{ do: "preview" }]));
  const executor = new ScriptedExecutor({ machine });
  return {
    executor,
    image: runRequest(),
    video: clipRequest(),
    long: runRequest({ seed: 999 }),
    dispose: () => executor.close(),
  };
});
