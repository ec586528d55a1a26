// Whether health tells the truth about who the worker is and what it can run.
import { setTimeout as sleep } from "node:timers/promises";
import { findModel } from "@safelight/catalog";
import { type WorkerHealth, workerProtocol } from "@safelight/contract/worker";
import type { Check } from "../check.ts";
import { must, mustRefuse } from "../probe.ts";
import { pairOf } from "../work.ts";

const facts: Check = {
  name: "health: who it is",
  run: async (bench) => {
    const first = await bench.health();
    must(first.protocol === workerProtocol, `health names version ${first.protocol} of the protocol`);
    must(first.worker.name !== "" && first.worker.version !== "" && first.engine.name !== "", "health has empty names");
    must(first.ready, "health says that the worker is not ready");
    const { image, video, total } = first.slots;
    must(total >= 1 && image <= total && video <= total, `the slots (${image}, ${video}, ${total}) make no sense`);
    for (const key of ["image", "video", "total"] as const) {
      must(first.busy[key] <= first.slots[key], `more ${key} slots are busy than there are`);
    }
    for (const gpu of first.gpus) must(gpu.name !== "" && gpu.memory_bytes > 0, "a GPU has no name or no memory");
    await sleep(300);
    const second = await bench.health();
    must(second.instance === first.instance, "instance changes without a restart");
    const passed = second.uptime_s - first.uptime_s;
    must(passed > 0.1 && passed < 30, `uptime_s went on by ${passed.toFixed(2)} s in 0.3 s`);
    return `${first.worker.name} ${first.worker.version}, engine ${first.engine.name}, ${total} slots`;
  },
};

const models: Check = {
  name: "health: models and modes",
  run: async (bench) => {
    const { models: listed } = await bench.health();
    must(new Set(listed.map(({ id }) => id)).size === listed.length, "a model is listed twice");
    for (const model of listed) judgeModel(model);
    const unavailable = listed.flatMap((model) =>
      model.modes.filter(({ available }) => !available).map((mode) => pairOf(model.id, mode.id)),
    );
    for (const pair of unavailable) {
      if (pair === null) continue;
      const request = bench.request(pair);
      if (request.media.length > 0) await bench.putMedia();
      mustRefuse(await bench.post(request), "model_unavailable");
    }
    must(bench.pairs.length > 0, "no mode of any model is available: there is nothing to be judged");
    return `${bench.pairs.length} modes available, ${unavailable.length} not`;
  },
};

function judgeModel(model: WorkerHealth["models"][number]): void {
  const known = findModel(model.id);
  must(known?.id === model.id, `the model ${model.id} is not in the catalog`);
  must(model.type === known.type, `${model.id} is said to make ${model.type}`);
  for (const mode of model.modes) {
    must(pairOf(model.id, mode.id) !== null, `${model.id} has no mode ${mode.id} in the catalog`);
    must(mode.available || mode.reason !== null, `${model.id} ${mode.id} is not available and does not say why`);
    must(!mode.available || model.weights === "in_place", `${model.id} ${mode.id} is available without its weights`);
  }
  const any = model.modes.some(({ available }) => available);
  must(model.available === any, `available of ${model.id} does not go with its modes`);
  must(model.available || model.reason !== null, `${model.id} is not available and does not say why`);
}

const counts: Check = {
  name: "health: busy slots and warm models",
  run: async (bench) => {
    await bench.mustBeIdle();
    for (const type of bench.types) {
      const pair = bench.pairFor(type);
      const request = bench.request(pair, "largest");
      await bench.start(request);
      await bench.untilDrawing(request);
      const { busy, models: listed } = await bench.health();
      must(busy[type] === 1 && busy.total === 1, `one ${type} task runs, health says ${JSON.stringify(busy)}`);
      const warm = listed.find(({ id }) => id === pair.model.id)?.warm;
      must(warm === true, `${pair.model.id} draws, but health says it is not warm`);
      await bench.tidy();
      await bench.mustBeIdle();
    }
    return bench.types.join(", ");
  },
};

export const healthChecks: readonly Check[] = [facts, models, counts];
