// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fillWindowGaps, standStill } from "../../testing/window-gaps.ts";
import { setLanguage } from "../language.ts";
import { MediaCheckContext, type MediaState } from "./media-access.ts";
import { Viewer, type ViewerMedia } from "./viewer.tsx";

beforeEach(() => fillWindowGaps());
afterEach(() => {
  cleanup();
  setLanguage("en");
  localStorage.clear();
});

const picture: ViewerMedia = {
  kind: "image",
  url: "/results/a",
  width: 1024,
  height: 1024,
  pixelated: true,
  alt: "Result: a castle",
  version: "a",
};
const clip: ViewerMedia = { ...picture, kind: "video", alt: "Result: a boat", fps: 16, frames: 81 };

const press = (key: string) => fireEvent.keyDown(document.body, { key });

function showClip(media: ViewerMedia = clip): HTMLVideoElement {
  const { container } = render(<Viewer media={media} />);
  const video = container.querySelector("video");
  if (video === null) throw new Error("There is no video.");
  standStill(video, 5.0625);
  fireEvent.loadedData(video);
  return video;
}

describe("the player (FR-005)", () => {
  it("says where the clip is in seconds and frames", () => {
    const video = showClip();
    act(() => {
      video.currentTime = 2.4;
    });
    const seek = screen.getByRole("slider", { name: "Position" });
    expect(seek.getAttribute("aria-valuetext")).toBe("2.4 of 5.1 seconds, frame 38");
    expect(seek.getAttribute("max")).toBe("80");
    expect(screen.getByText("2.4 / 5.1 s")).toBeTruthy();
  });

  it("steps by frames and seconds with keys, exactly", () => {
    const video = showClip();
    const frame = () => Math.floor(video.currentTime * 16);
    press(".");
    press(".");
    expect(frame()).toBe(2);
    press(",");
    expect(frame()).toBe(1);
    press("k");
    expect(frame()).toBe(17);
    press("j");
    expect(frame()).toBe(1);
    press("0");
    expect(video.currentTime).toBe(0);
  });

  it("plays, pauses, loops by keys; stepping stops it", () => {
    const video = showClip();
    press(" ");
    expect(video.paused).toBe(false);
    expect(screen.getByRole("button", { name: "Pause" })).toBeTruthy();
    press(".");
    expect(video.paused).toBe(true);
    expect(video.loop).toBe(true);
    press("l");
    expect(video.loop).toBe(false);
    expect(screen.getByRole("button", { name: "Loop" }).getAttribute("aria-pressed")).toBe("false");
  });

  it("has a volume only where the clip has sound", () => {
    const video = showClip();
    expect(screen.queryByRole("slider", { name: "Volume" })).toBeNull();
    Object.defineProperty(video, "webkitAudioDecodedByteCount", { value: 4096 });
    act(() => void video.dispatchEvent(new Event("timeupdate")));
    expect(screen.getByRole("slider", { name: "Volume" })).toBeTruthy();
  });

  it("does not start by itself where less motion is asked for", () => {
    fillWindowGaps(["(prefers-reduced-motion: reduce)"]);
    expect(showClip().autoplay).toBe(false);
    cleanup();
    fillWindowGaps();
    expect(showClip().autoplay).toBe(true);
  });

  it("keeps the same element over news that changes nothing of the clip", () => {
    const { container, rerender } = render(<Viewer media={clip}>old</Viewer>);
    const before = container.querySelector("video");
    rerender(
      <Viewer media={{ ...clip }} compareWith={{ url: "/uploads/b" }}>
        new
      </Viewer>,
    );
    expect(container.querySelector("video")).toBe(before);
    rerender(<Viewer media={{ ...clip, url: "/results/c" }}>new</Viewer>);
    expect(container.querySelector("video")).not.toBe(before);
  });

  it("shows a clip that was loaded before the element stood on the page", () => {
    const { prototype } = HTMLMediaElement;
    const readyState = Object.getOwnPropertyDescriptor(prototype, "readyState");
    Object.defineProperty(prototype, "readyState", { configurable: true, value: prototype.HAVE_ENOUGH_DATA });
    try {
      const { container } = render(<Viewer media={clip} />);
      expect(container.querySelector("video")?.classList.contains("viewer-unseen")).toBe(false);
    } finally {
      if (readyState) Object.defineProperty(prototype, "readyState", readyState);
    }
  });

  it("speaks Russian", () => {
    setLanguage("ru");
    const video = showClip();
    act(() => {
      video.currentTime = 2.4;
    });
    expect(screen.getByRole("slider").getAttribute("aria-valuetext")).toBe("2,4 из 5,1 секунды, кадр 38");
    const named = [...document.querySelectorAll("[aria-label]")].map((element) => element.getAttribute("aria-label"));
    expect(named.filter((name) => name !== clip.alt && /[a-z]{3,}/i.test(name ?? ""))).toEqual([]);
  });
});

describe("before and after", () => {
  const show = () => {
    render(<Viewer media={picture} compareWith={{ url: "/uploads/b" }} />);
    fireEvent.load(screen.getByAltText(picture.alt));
  };

  it("is a slider of one percent a step that says how much is seen", () => {
    show();
    const edge = screen.getByRole("slider", { name: "Before and after, position of the edge" });
    expect(edge.getAttribute("step")).toBe("1");
    fireEvent.change(edge, { target: { value: "51" } });
    expect(edge.getAttribute("aria-valuetext")).toBe("51 % before");
    expect(edge.parentElement?.style.getPropertyValue("--split")).toBe("51%");
  });

  it("goes and comes by its button and its key, and the picture stays", () => {
    show();
    const result = screen.getByAltText(picture.alt);
    press("y");
    expect(screen.queryByRole("slider")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Before and after" }));
    expect(screen.getByRole("slider")).toBeTruthy();
    expect(screen.getByAltText(picture.alt)).toBe(result);
  });

  it("covers a clip only when it is asked to", () => {
    render(<Viewer media={clip} compareWith={{ url: "/uploads/b" }} />);
    const toggle = screen.getByRole("button", { name: "Before and after" });
    expect(toggle.getAttribute("aria-pressed")).toBe("false");
    fireEvent.click(toggle);
    expect(toggle.getAttribute("aria-pressed")).toBe("true");
    fireEvent.click(toggle);
  });

  it("is not offered when the reference is gone, or there was none", () => {
    show();
    fireEvent.error(screen.getByAltText("The reference picture, framed as for the run"));
    expect(screen.queryByRole("button", { name: "Before and after" })).toBeNull();
    cleanup();
    render(<Viewer media={picture} />);
    expect(screen.queryByRole("button", { name: "Before and after" })).toBeNull();
  });
});

describe("the surround", () => {
  it("goes round black, grey and white with B, beginning beside what is seen", () => {
    const { container } = render(<Viewer media={picture} />);
    const surround = () => container.querySelector<HTMLElement>(".viewer-easel")?.dataset.surround;
    const seen = [1, 2, 3].map(() => {
      press("b");
      return surround();
    });
    expect(seen).toEqual(["black", "grey", "white"]);
  });
});

describe("media that do not load", () => {
  async function fail(states: readonly MediaState[], onMissing?: () => void) {
    const rest = [...states];
    const check = async () => rest.shift() ?? "there";
    render(
      <MediaCheckContext value={check}>
        <Viewer media={picture} onMissing={onMissing} />
      </MediaCheckContext>,
    );
    for (const _state of states) {
      const image = screen.queryByAltText(picture.alt);
      if (image) await act(async () => void fireEvent.error(image));
    }
  }

  it("says that the file is gone, and tells whoever shows it (FR-007)", async () => {
    let missing = 0;
    await fail(["gone"], () => {
      missing += 1;
    });
    expect(await screen.findByText("The file is gone")).toBeTruthy();
    expect(screen.getByText("result_gone")).toBeTruthy();
    expect(missing).toBe(1);
  });

  it("asks again by itself when the session had to be renewed", async () => {
    await fail(["there"]);
    expect(screen.getByAltText(picture.alt)).toBeTruthy();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("says that it cannot be shown when that did not help, and tries again when asked", async () => {
    await fail(["there", "there"]);
    expect(await screen.findByText("The file could not be shown")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.getByAltText(picture.alt)).toBeTruthy());
  });

  it("waits for a server that does not answer, and goes on when it is back", async () => {
    await fail(["unreachable"]);
    expect(await screen.findByText("The server does not answer")).toBeTruthy();
    act(() => void window.dispatchEvent(new Event("online")));
    expect(screen.getByAltText(picture.alt)).toBeTruthy();
  });
});
