// Every word the studio says that the catalog and the server do not say themselves. One object, so that another
// language is one more object of the same type.

const en = {
  title: "Studio",
  recipe: "Recipe",
  picture: "Picture",
  modelAndMode: "Model and mode",
  model: "Model",
  mode: "Mode",
  media: { image: "Image", video: "Video" },
  availability: {
    ready: "Ready",
    sketch: "Served by Sketch",
    sketchLong: "Served by Sketch, a miniature with a small vocabulary",
    off: "Not available",
    offBecause: (reason: string) => `Not available: ${reason}`,
    executor: (name: string) => `Ready on ${name}`,
  },
  sketchHint:
    "Served by Sketch: a miniature with a small vocabulary. It draws small scenes and says which words it did not know.",
  sketchMade: "Made by Sketch: a miniature with a small vocabulary.",
  sketchUnknown: "It did not know: ",
  sketchKnewAll: "It knew every word of this prompt.",
  completedPrompt: "It drew: ",
  words: "Words",
  promptPlaceholder: "What do you want to see?",
  counter: (used: number, limit: number) => `${used} / ${limit}`,
  counterSpoken: (used: number, limit: number) => `${used} of ${limit} characters used`,
  frame: "Frame",
  ownSize: "Own",
  swap: "Swap width and height",
  duration: "Duration",
  seconds: (value: number) => `${number(value)} s`,
  framesAndRate: (frames: number, rate: number) => `${frames} frames, ${rate} a second`,
  quality: "Quality",
  seedSection: "Seed of the run",
  seedRandom: "random",
  seedKept: "kept for the next run",
  seedPlaceholder: "New for every run",
  seedLock: "Keep this seed",
  seedLocked: "Seed kept",
  seedRoll: "Roll a new seed",
  advanced: "Advanced",
  changed: (count: number) => `${count} changed`,
  reset: "Reset to defaults",
  numberOf: (label: string) => `${label}, number`,
  locked: "locked",
  fixed: "Fixed by this model",
  references: "Pictures",
  drop: "Drop, paste or choose a picture",
  uploading: (name: string) => `Sending ${name} …`,
  pictureSize: (width: number, height: number, bytes: number) => `${width} × ${height} · ${bytesText(bytes)}`,
  remove: (name: string) => `Remove ${name}`,
  keyframeCount: (count: number, limit: number) => `${count} of ${limit}`,
  keyframe: (index: number) => `Keyframe ${index}`,
  addPicture: "Add picture",
  generateImage: "Generate image",
  generateVideo: (seconds: string) => `Generate ${seconds} of video`,
  generateOffline: "Generate when back online",
  submitting: "Sending …",
  shortcut: (command: string) => `${command} Enter`,
  modeUnavailable: "This mode cannot run here now.",
  unavailableModel: "This model cannot run now. Choose another one.",
  fixes: (count: number) => (count === 1 ? "1 thing to fix" : `${count} things to fix`),
  faults: {
    text: "Write what you want to see.",
    picture: "This mode needs a picture here.",
    number: "Write a number.",
    range: (minimum: number, maximum: number, step: number | undefined) =>
      step === undefined || step === 1
        ? `From ${minimum} to ${maximum}.`
        : `Steps of ${step} from ${minimum} to ${maximum}.`,
  },
  queueFull: (seconds: number) => `Trying again in ${seconds} s; your settings stay.`,
  stop: "Stop",
  emptyTitle: "Nothing on the easel yet",
  emptyText: "Write what you want to see and press Generate. A first picture takes a few seconds.",
  examples: ["a red lighthouse by the sea at sunset", "an orange cat in a forest", "a rocket above the moon"],
  waiting: (position: number) => (position === 1 ? "Next in the queue" : `Waiting, number ${position} in the queue`),
  waitingShort: "waits",
  waitingUnknown: "Waiting for its turn",
  stage: {
    queued: "Waiting",
    starting: "Starting",
    load: "Loading the model",
    encode: "Preparing",
    denoise: "Denoising",
    decode: "Developing",
    mux: "Writing the clip",
    save: "Saving",
    cancelling: "Cancelling",
  },
  stageDetail: (stage: string, detail: string) => `${stage}, ${detail}`,
  stepOf: (stage: string, step: number, steps: number) => `${stage}, step ${step} of ${steps}`,
  left: (text: string) => `${text} left`,
  percent: (value: number) => `${value} %`,
  attempt: (attempt: number) => `Try ${attempt}: the one before was lost.`,
  cancel: "Cancel",
  cancelTask: (prompt: string) => `Cancel: ${prompt}`,
  cancelling: "Cancelling …",
  previewOf: (prompt: string) => `Preview of: ${prompt}`,
  resultOf: (prompt: string) => `Result: ${prompt}`,
  seedOf: "seed",
  copySeed: "Copy seed",
  seedCopied: "Seed copied",
  madeIn: "made in",
  download: "Download",
  resultGone: "The file is gone",
  resultGoneAction: "The recipe is kept. The same seed gives the same picture again.",
  failed: {
    cancelled: "Cancelled",
    timed_out: "Took too long",
    out_of_memory: "Out of memory",
    engine_failed: "The engine failed",
    worker_lost: "The worker was lost",
    no_workers: "Nobody could run it",
    result_invalid: "The result could not be read",
    storage_failed: "It could not be stored",
    content_refused: "Refused",
  } as Readonly<Record<string, string>>,
  failedOther: "It did not work",
  tryAgain: "Try again",
  reference: "Reference",
  tasks: "Tasks",
  latest: "Latest pictures",
  running: "Running",
  waitingGroup: "Waiting",
  ended: "Ended",
  queueSummary: (running: number, waiting: number) =>
    running + waiting === 0 ? "nothing runs" : `${running} running, ${waiting} waiting`,
  doneIn: (text: string) => `Done in ${text}`,
  show: (prompt: string) => `Show: ${prompt}`,
  modelsFailed: "The models did not load",
  tasksFailed: "The list of tasks did not load",
  loading: "Loading",
  play: "Play",
  pause: "Pause",
  loop: "Loop",
  position: "Position",
  positionText: (at: number, of: number) => `${number(at)} of ${number(of)} seconds`,
  clock: (at: number, of: number) => `${at.toFixed(1)} / ${of.toFixed(1)} s`,
  fullScreen: "Full screen",
  warnings: "Notes",
};

export type StudioStrings = typeof en;

/** The strings of the language in force. */
export const strings: StudioStrings = en;

function number(value: number): string {
  return new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(value);
}

function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number(value)} ${units[unit]}`;
}

/** A duration for people: 4 s, 1 min 20 s. */
export function durationText(seconds: number): string {
  if (seconds < 10) return `${number(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
}
