// A number before the title of the tab, "(2) Gallery": what happened while nobody looked.

const counted = /^\(\d+\) /;

/** Puts the number there, in place of an earlier one; 0 takes it away. */
export function setTitleCount(count: number): void {
  const title = document.title.replace(counted, "");
  document.title = count > 0 ? `(${count}) ${title}` : title;
}
