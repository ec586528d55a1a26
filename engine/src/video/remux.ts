// The last touch of a film: tags with the recipe, colours named, the index in front so that it plays while it loads, and
// no dates.

import {
  BufferSource,
  BufferTarget,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type MetadataTags,
  MP4,
  Mp4OutputFormat,
  Output,
  WEBM,
  WebMOutputFormat,
} from "mediabunny";
import { clearTimes } from "../container/mp4-boxes.ts";
import type { VideoFormat } from "../job/job.ts";

const colourSpace = { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false } as const;

/** The film in the same format with frame n at exactly n / fps seconds. */
export async function remux(
  bytes: Uint8Array,
  format: VideoFormat,
  fps: number,
  tags: Pick<MetadataTags, "title" | "comment">,
): Promise<Uint8Array> {
  using input = new Input({ formats: [MP4, WEBM], source: new BufferSource(bytes) });
  const track = await input.getPrimaryVideoTrack();
  const config = await track?.getDecoderConfig();
  const codec = await track?.getCodec();
  if (!track || !config || !codec) throw new Error("the encoder wrote no video track");
  const target = new BufferTarget();
  const output = new Output({
    format: format === "mp4" ? new Mp4OutputFormat({ fastStart: "in-memory" }) : new WebMOutputFormat(),
    target,
  });
  const source = new EncodedVideoPacketSource(codec);
  output.addVideoTrack(source, { frameRate: fps });
  output.setMetadataTags(tags);
  await output.start();
  const decoderConfig = { ...config, colorSpace: colourSpace };
  let frame = 0;
  // An encoder may call every picture a key frame; a player that believes it shows nothing when it seeks between the real
  // ones. What the stream itself says is what counts.
  const packets = new EncodedPacketSink(track).packets(undefined, undefined, { verifyKeyPackets: true });
  for await (const packet of packets) {
    // Encoders round times to their own clock; frames are in order, so they are simply counted.
    const exact = packet.clone({ timestamp: frame / fps, duration: 1 / fps });
    await source.add(exact, { decoderConfig });
    frame++;
  }
  await output.finalize();
  if (!target.buffer) throw new Error("the film could not be written");
  const result = new Uint8Array(target.buffer);
  if (format === "mp4") clearTimes(result);
  return result;
}
