import { Info } from "lucide-react";
import type { GalleryItem } from "../../../api/gallery.ts";
import type { StudioModel } from "../../../api/models.ts";
import { localize } from "../../../ui/language.ts";
import { strings } from "../strings.ts";

/** What the engine did not know or could not honour. */
export function EngineNotes({ item, model }: { item: GalleryItem; model: StudioModel | undefined }) {
  const words = strings.detail;
  const unknown = item.warnings.flatMap((warning) => warning.words ?? []);
  const ignored = item.warnings.flatMap((warning) =>
    warning.code === "no_effect" && warning.parameter ? [labelOf(warning.parameter, model)] : [],
  );
  const isSketch = item.engine === "sketch";
  if (!isSketch && unknown.length === 0 && ignored.length === 0) return null;
  return (
    <section aria-label={words.notes}>
      <div className="honest">
        <Info aria-hidden="true" />
        <p>
          {isSketch ? words.sketchMade : null}{" "}
          {unknown.length === 0 ? null : (
            <>
              {words.sketchUnknown}{" "}
              {unknown.map((word, index) => (
                <span key={word}>
                  {index > 0 ? ", " : ""}
                  <q>{word}</q>
                </span>
              ))}
              .{" "}
            </>
          )}
          {ignored.length === 0 ? null : words.noEffect(ignored.join(", "))}
        </p>
      </div>
    </section>
  );
}

function labelOf(name: string, model: StudioModel | undefined): string {
  const parameter = model?.parameters.find((candidate) => candidate.name === name);
  return parameter === undefined ? name : localize(parameter.label).toLocaleLowerCase();
}
