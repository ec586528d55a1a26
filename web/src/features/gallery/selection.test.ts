import fc from "fast-check";
import { expect, test } from "vitest";
import { everything, extended, isEmpty, isSelected, nothingSelected, remaining, toggled } from "./selection.ts";

const order = ["a", "b", "c", "d", "e", "f"];
const chosen = (ids: ReadonlySet<string>) => [...ids].toSorted().join("");

test("a press chooses, a second press gives back", () => {
  const one = toggled(nothingSelected, "b", order);
  expect(chosen(one.ids)).toBe("b");
  expect(isEmpty(toggled(one, "b", order))).toBe(true);
});

test("Shift takes everything between the anchor and the press, in either direction", () => {
  const from = toggled(nothingSelected, "c", order);
  expect(chosen(extended(from, "e", "a", order).ids)).toBe("cde");
  expect(chosen(extended(from, "a", "a", order).ids)).toBe("abc");
});

test("a range that turns round keeps what was chosen before it", () => {
  const before = toggled(toggled(nothingSelected, "a", order), "c", order);
  const wide = extended(before, "f", "a", order);
  expect(chosen(wide.ids)).toBe("acdef");
  expect(chosen(extended(wide, "d", "a", order).ids)).toBe("acd");
});

test("without an anchor the range begins at the picture in focus", () => {
  expect(chosen(extended(nothingSelected, "c", "b", order).ids)).toBe("bc");
});

test("everything counts unloaded pictures too, until one is taken out", () => {
  const all = everything(order, false);
  expect(isSelected(all, "unloaded")).toBe(true);
  const less = toggled(all, "b", order);
  expect(less.all).toBe(false);
  expect(chosen(less.ids)).toBe("acdef");
  expect(everything(order, true).all).toBe(false);
});

test("pictures that went away leave the selection, and the anchor with them", () => {
  const selection = toggled(toggled(nothingSelected, "a", order), "b", order);
  const left = remaining(selection, new Set(["a", "c"]));
  expect(chosen(left.ids)).toBe("a");
  expect(left.anchor).toBeNull();
  expect(remaining(left, new Set(["a"]))).toBe(left);
});

test("whatever is pressed, a range holds its ends and no strangers", () => {
  const press = fc.record({ id: fc.constantFrom(...order), shift: fc.boolean() });
  fc.assert(
    fc.property(fc.array(press, { maxLength: 20 }), (presses) => {
      let selection = nothingSelected;
      for (const { id, shift } of presses) {
        const before = selection;
        selection = shift ? extended(selection, id, "a", order) : toggled(selection, id, order);
        expect([...selection.ids].every((each) => order.includes(each))).toBe(true);
        if (shift) expect(selection.ids.has(id)).toBe(true);
        else expect(selection.ids.has(id)).toBe(!before.ids.has(id));
      }
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
});
