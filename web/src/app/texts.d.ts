/** The address of a picture that the build has put among the files of the page. */
declare module "*.svg" {
  const address: string;
  export default address;
}

/** Russian texts by the path of the file that holds them, in parts (web/texts.config.ts); none where they were not taken out. */
declare module "virtual:texts-ru" {
  export const parts: Readonly<Record<string, () => Promise<{ texts: Readonly<Record<string, object>> }>>>;
}
