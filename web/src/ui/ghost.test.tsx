// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { Ghost, GhostArea } from "./ghost.tsx";

afterEach(cleanup);

it("shapes of what is on its way come after a moment, say what loads, and stand as their class says", async () => {
  render(
    <GhostArea label="Loading" className="grid gap-4">
      <Ghost />
    </GhostArea>,
  );
  const area = screen.getByRole("status");
  expect(area.textContent).toBe("");
  expect(await screen.findByText("Loading")).toBeTruthy();
  expect(area.classList.contains("grid")).toBe(true);
  // A style of its own would win over every class.
  expect(area.getAttribute("style")).toBeNull();
});
