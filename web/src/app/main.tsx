import "../ui/styles/index.css";
import { parts } from "virtual:texts-ru";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { type Language, prepareLanguage } from "../ui/language.ts";
import { applyTheme } from "../ui/theme.ts";
import { App } from "./app.tsx";
import { keepShell } from "./offline-shell.ts";

applyTheme();

void prepareLanguage(textsOf).then(draw);
keepShell();

async function textsOf(language: Language, part: string): Promise<Readonly<Record<string, object>>> {
  return language === "ru" ? ((await parts[part]?.())?.texts ?? {}) : {};
}

function draw(): void {
  const root = document.getElementById("root");
  if (root === null) throw new Error("The page has no #root to stand on.");
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
