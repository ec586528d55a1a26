// What one press of the button asks for.
import type { StudioModel } from "../../../../api/models.ts";
import { parametersInForce, type Recipe, requestBody, valueOf } from "./recipe.ts";
import { neighbouringSeeds } from "./seeds.ts";

export type Body = Readonly<Record<string, unknown>>;

export interface Order {
  /** Two presses with the same signature ask for the same thing, whatever seeds are drawn for them. */
  signature: string;
  type: StudioModel["type"];
  /** The requests, one for each result; draws the seed where it has to be drawn here. */
  bodies: () => readonly Body[];
}

/** One request, or several with neighbouring seeds. The seed of a single result is drawn by the server. */
export function orderOf(recipe: Recipe, model: StudioModel, mode: string): Order {
  const body = requestBody(recipe, model);
  const { copies } = recipe;
  const seed = parametersInForce(model, mode).find((parameter) => parameter.control === "seed");
  const signature = JSON.stringify([body, copies]);
  if (copies <= 1 || seed === undefined) return { signature, type: model.type, bodies: () => [body] };
  const bodies = () =>
    neighbouringSeeds(seed, Number(valueOf(recipe, model, seed)), copies).map((value) => ({
      ...body,
      [seed.name]: value,
    }));
  return { signature, type: model.type, bodies };
}
