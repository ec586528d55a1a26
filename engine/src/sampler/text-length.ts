/** Words the text encoder reads, the leading mark included. */
export const TEXT_LENGTH = 28;
