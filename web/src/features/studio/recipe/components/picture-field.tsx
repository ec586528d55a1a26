import { X } from "lucide-react";
import type { Parameter } from "../../../../api/models.ts";
import { FieldError } from "../../../../ui/field-error.tsx";
import { bytesWords } from "../../../../ui/figures.ts";
import { localize } from "../../../../ui/language.ts";
import { useFieldErrors } from "../hooks/use-field-errors.ts";
import { usePictureUpload } from "../hooks/use-picture-upload.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { type Picture, pictureIn } from "../model/values.ts";
import { strings } from "../strings.ts";
import { Dropzone } from "./dropzone.tsx";

/** One reference picture: an open place, or the picture that stands in it. */
export function PictureField({ parameter }: { parameter: Parameter }) {
  const form = useRecipeForm();
  const { errorOn, clear } = useFieldErrors();
  const set = (picture: Picture | undefined) => {
    clear(parameter.name);
    form.set(parameter, picture);
  };
  const upload = usePictureUpload(set);
  const held = pictureIn(form.value(parameter));
  const error = upload.error ?? errorOn(parameter.name);
  const label = localize(parameter.label);
  const take = ([file]: File[]) => {
    if (file) upload.send(file);
  };
  return (
    <div className="field">
      <span className="field-label">{label}</span>
      {held && upload.busy === null ? (
        <HeldPicture picture={held} label={label} onRemove={() => set(undefined)} />
      ) : (
        <Dropzone
          label={strings.drop}
          hint={localize(parameter.help)}
          busy={upload.busy}
          invalid={Boolean(error)}
          describedBy={error ? `${parameter.name}-error` : undefined}
          onFiles={take}
        />
      )}
      <FieldError id={`${parameter.name}-error`} message={error} />
    </div>
  );
}

interface HeldPictureProps {
  picture: Picture;
  label: string;
  onRemove: () => void;
}

function HeldPicture({ picture, label, onRemove }: HeldPictureProps) {
  const remove = strings.remove(picture.name);
  return (
    <div className="held-picture">
      <img src={picture.url} alt={`${label}: ${picture.name}`} />
      <div className="min-w-0 text-label">
        <p className="truncate font-medium">{picture.name}</p>
        <p className="num text-faint">
          {strings.pictureSize(picture.width, picture.height, bytesWords(picture.bytes))}
        </p>
      </div>
      <button type="button" className="icon-btn" aria-label={remove} title={remove} onClick={onRemove}>
        <X className="icon" aria-hidden="true" />
      </button>
    </div>
  );
}
