// Every word of the recipe that the catalog and the server do not say themselves.

const en = {
  recipe: "Recipe",
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
};

export type RecipeStrings = typeof en;

/** The strings of the language in force. */
export const strings: RecipeStrings = en;

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
