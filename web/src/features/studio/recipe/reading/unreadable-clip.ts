/** The browser could not show the clip: its file is gone, or of a kind this browser does not play. */
export class UnreadableClip extends Error {}
