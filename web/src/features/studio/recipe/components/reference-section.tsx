import type { DragEvent } from "react";
import { FieldError } from "../../../../ui/field-error.tsx";
import { later } from "../../../../ui/later.tsx";
import { picturesIn } from "../hooks/use-dropped-files.ts";
import { usePictureUpload } from "../hooks/use-picture-upload.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { openPlace, placed } from "../model/places.ts";
import { isPictorial } from "../model/recipe.ts";
import { strings } from "../strings.ts";
import { ParameterRow } from "./parameter-row.tsx";
import { PictureField } from "./picture-field.tsx";
import { Section } from "./section.tsx";

// Only one mode has a track of key frames.
const KeyframesField = later(() => import("./keyframes-field.tsx").then((module) => module.KeyframesField));

/** The pictures a mode works from, and how closely it holds to them. */
export function ReferenceSection() {
  const form = useRecipeForm();
  const parameters = form.parameters.filter((parameter) => parameter.group === "references");
  const places = parameters.filter(isPictorial);
  const upload = usePictureUpload((picture) => {
    const place = openPlace(places, form.value);
    if (place) form.set(place, placed(picture, place, form.value(place), form.numbers()));
  });
  // A picture dropped among the pictures is meant as one, whatever recipe it may hold.
  const onDrop = (event: DragEvent) => {
    const [file] = picturesIn(event.dataTransfer);
    if (file === undefined || places.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    upload.send(file);
  };
  return (
    <Section label={strings.references} onDrop={onDrop}>
      <div className={places.length > 1 ? "picture-pair" : "grid gap-3"}>
        {places.map((parameter) =>
          parameter.type === "image" ? (
            <PictureField key={parameter.name} parameter={parameter} />
          ) : (
            <KeyframesField key={parameter.name} parameter={parameter} />
          ),
        )}
      </div>
      {upload.busy ? <p className="hint">{strings.uploading(upload.busy)}</p> : null}
      <FieldError message={upload.error} />
      <div className="empty:hidden">
        {parameters
          .filter((parameter) => !isPictorial(parameter))
          .map((parameter) => (
            <ParameterRow key={parameter.name} parameter={parameter} />
          ))}
      </div>
    </Section>
  );
}
