// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Still } from "./still.tsx";
import { MediaCheckContext, type MediaState } from "./viewer/media-access.ts";

afterEach(cleanup);

function show(state: MediaState): { asked: string[]; broken: () => number } {
  const asked: string[] = [];
  let broken = 0;
  const check = async (url: string) => {
    asked.push(url);
    return state;
  };
  render(
    <MediaCheckContext value={check}>
      <Still src="/results/a?thumbnail=1" alt="a castle" onBroken={() => broken++} />
    </MediaCheckContext>,
  );
  return { asked, broken: () => broken };
}

const picture = () => screen.getByRole("img", { name: "a castle" });

describe("a small picture", () => {
  it("is asked for once more when it failed and is there: the session had ended", async () => {
    const { asked, broken } = show("there");
    const first = picture();
    fireEvent.error(first);
    await waitFor(() => expect(picture()).not.toBe(first));
    expect([asked, broken()]).toEqual([["/results/a?thumbnail=1"], 0]);
    fireEvent.error(picture());
    await waitFor(() => expect(broken()).toBe(1));
    expect(asked).toHaveLength(1);
  });

  it("is broken at once when the server has none", async () => {
    const { broken } = show("gone");
    fireEvent.error(picture());
    await waitFor(() => expect(broken()).toBe(1));
  });
});
