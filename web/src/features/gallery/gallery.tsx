import { Ghost, GhostArea } from "../../ui/ghost.tsx";

/** Holds the address until the gallery stands here. */
export function Gallery() {
  return (
    <main id="main" className="flex-1 p-4">
      <GhostArea label="" className="grid gap-3">
        <Ghost className="h-64" />
      </GhostArea>
    </main>
  );
}
