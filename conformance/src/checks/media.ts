// Reference pictures: what is kept, and what is not.
import { randomInt } from "node:crypto";
import { type WorkerMediaStored, workerLimits } from "@safelight/contract/worker";
import type { Check } from "../check.ts";
import { must, mustRefuse, shapeOf } from "../probe.ts";
import { drawPicture, hashOf, pictureOf, requestOf } from "../work.ts";

const storing: Check = {
  name: "media: kept under their hash",
  run: async (bench) => {
    const picture = await drawPicture(randomInt(2 ** 24 - 2));
    for (const statuses of [[201], [200]]) {
      const stored = shapeOf<WorkerMediaStored>("putMedia", await bench.put(picture), ...statuses);
      const fits = stored.sha256 === hashOf(picture) && stored.bytes === picture.bytes.byteLength;
      must(fits, "the worker stored something else than was sent");
    }
    return "201, then 200";
  },
};

const mismatch: Check = {
  name: "media: another hash is refused",
  run: async (bench) => {
    const picture = await drawPicture(randomInt(2 ** 24 - 2));
    const altered = Uint8Array.from(picture.bytes);
    altered[altered.length - 20] = (altered[altered.length - 20] ?? 0) ^ 1;
    mustRefuse(await bench.put({ ...picture, bytes: altered }), "media_mismatch");
    mustRefuse(await bench.put({ ...picture, bytes: picture.bytes.slice(0, -10) }), "media_mismatch");
    // Had the wrong bytes been kept all the same, the right ones would now be known already.
    shapeOf("putMedia", await bench.put(picture), 201);
    for (const sha256 of ["abc", hashOf(picture).toUpperCase(), "g".repeat(64)]) {
      mustRefuse(await bench.put(picture, sha256), "validation_failed");
    }
    return "nothing kept";
  },
};

const limits: Check = {
  name: "media: size and type",
  run: async (bench) => {
    const large = pictureOf(new Uint8Array(workerLimits.mediaBytes + 1));
    mustRefuse(await bench.put(large), "payload_too_large");
    const picture = await drawPicture(1);
    for (const type of ["image/gif", "text/html", "application/json", "application/octet-stream"]) {
      mustRefuse(await bench.put(picture, hashOf(picture), type), "unsupported_media_type");
    }
    return `${workerLimits.mediaBytes} bytes at most`;
  },
};

const missing: Check = {
  name: "media: a task that names what is not here",
  run: async (bench) => {
    const pair = bench.pairs.find((one) => bench.request(one).media.length > 0);
    if (pair === undefined) return "no mode that is offered takes pictures";
    const number = randomInt(2 ** 24 - 2);
    const pictures = [await drawPicture(number), await drawPicture(number + 1)];
    const request = bench.request(pair, "smallest", requestOf(pair, pictures, "smallest"));
    const problem = mustRefuse(await bench.post(request), "media_missing");
    must((problem.errors ?? []).length === request.media.length, "media_missing does not name every picture in errors");
    must(problem.errors?.[0]?.field === "media[0]", `media_missing names the field ${problem.errors?.[0]?.field}`);
    const unlisted = { ...request, media: [] };
    mustRefuse(await bench.post(unlisted), "validation_failed");
    for (const picture of pictures) shapeOf("putMedia", await bench.put(picture), 201);
    shapeOf("createTask", await bench.post(request), 202);
    return `${pair.model.id} ${pair.mode}: refused, then taken`;
  },
};

export const mediaChecks: readonly Check[] = [storing, mismatch, limits, missing];
