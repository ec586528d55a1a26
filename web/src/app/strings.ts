// Words of the frame around the pages.

const en = {
  skip: "Skip to content",
  pages: "Pages",
  studio: "Studio",
  api: "API",
  theme: { system: "Theme: as the system", dark: "Theme: dark", light: "Theme: light" },
  offline: "No connection. Tasks go on running on the server; this page catches up by itself.",
  gate: {
    password: {
      title: "Safelight",
      lead: "This installation asks for a password.",
      field: "Access password",
      wrong: "Wrong password. Ask the operator if it has changed.",
    },
    key: {
      title: "Safelight",
      lead: "This installation asks for an API key. It is sent once and not kept by the page.",
      field: "API key",
      wrong: "This key is not valid. Ask the operator for a new one.",
    },
    ended: "Your session ended",
    endedLead: "Your prompt and settings are still here.",
    enter: "Come in",
    resume: "Continue",
  },
  crash: "The page stopped working",
  crashAction: "Your tasks go on. Reload the page to continue.",
  reload: "Reload",
};

export type AppStrings = typeof en;
export const strings: AppStrings = en;
