// What jsdom leaves out and the page asks for: no layout to observe, no media queries that hold, no playing, no modal dialogs.

class NoObserver implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

const dialogMethods = {
  showModal(this: HTMLDialogElement) {
    this.open = true;
  },
  close(this: HTMLDialogElement) {
    this.open = false;
  },
};

/** Fills the gaps of the window. `matching` are the media queries that hold. */
export function fillWindowGaps(matching: readonly string[] = []): void {
  globalThis.ResizeObserver ??= NoObserver;
  if (!Object.hasOwn(HTMLDialogElement.prototype, "showModal"))
    Object.assign(HTMLDialogElement.prototype, dialogMethods);
  window.matchMedia = (query) =>
    Object.assign(new EventTarget(), {
      matches: matching.includes(query),
      media: query,
      onchange: null,
      addListener: () => {},
      removeListener: () => {},
    });
}

/** Gives a video element a clock that can be set and stands still, as one that was paused has. */
export function standStill(video: HTMLVideoElement, duration: number): void {
  let time = 0;
  let paused = true;
  Object.defineProperties(video, {
    duration: { value: duration },
    readyState: { value: HTMLMediaElement.HAVE_ENOUGH_DATA },
    paused: { get: () => paused },
    currentTime: {
      get: () => time,
      set: (next: number) => {
        time = next;
        video.dispatchEvent(new Event("seeked"));
      },
    },
  });
  video.play = async () => {
    paused = false;
    video.dispatchEvent(new Event("play"));
  };
  video.pause = () => {
    paused = true;
    video.dispatchEvent(new Event("pause"));
  };
}
