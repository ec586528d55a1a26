// Installs the worker that keeps the shell of the page for moments without a connection.
import { onConnectionBack } from "../api/connection.ts";
import { showToast } from "../ui/toasts.tsx";
import { strings } from "./strings.ts";

/** Milliseconds. */
const betweenLooks = 60 * 60 * 1000;

/** Only the built page has a worker, and browsers run one only on https and on the own machine. */
export function keepShell(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  // The first worker takes over a page that is up to date; any later one says that there is a newer page.
  let isUpdate = serviceWorker.controller !== null;
  serviceWorker.addEventListener("controllerchange", () => {
    if (isUpdate) offerReload();
    isUpdate = true;
  });
  serviceWorker
    .register("/service-worker.js", { updateViaCache: "none" })
    .then(lookForReleases)
    // Not having one only means that the page does not open without a connection.
    .catch(() => {});
}

/** Browsers look for a newer worker when a page is loaded; one that stays open has to ask: after an outage, and now and then. */
function lookForReleases(registration: ServiceWorkerRegistration): void {
  const look = () => void registration.update().catch(() => {});
  onConnectionBack(look);
  setInterval(look, betweenLooks);
}

function offerReload(): void {
  showToast({
    text: strings.newVersion,
    lasts: 60_000,
    action: { label: strings.reload, run: () => window.location.reload() },
  });
}
