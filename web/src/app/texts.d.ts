/** Russian texts by the path of the file that holds them (web/texts.config.ts); empty where they were not taken out. */
declare module "virtual:texts-ru" {
  export const texts: Readonly<Record<string, object>>;
}
