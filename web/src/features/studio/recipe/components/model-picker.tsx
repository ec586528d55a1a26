import { Check, ChevronDown, Film, Image } from "lucide-react";
import { type KeyboardEvent, useId, useRef } from "react";
import { licenceName, type StudioModel } from "../../../../api/models.ts";
import { localize } from "../../../../ui/language.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import { strings } from "../strings.ts";
import { Availability } from "./availability.tsx";

/** The chosen model as a button, and all models with who serves them, their licence, and why one cannot be had. */
export function ModelPicker({ models }: { models: readonly StudioModel[] }) {
  const form = useRecipeForm();
  const list = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const choose = (model: StudioModel) => {
    if (!model.available) return;
    form.chooseModel(model.id);
    list.current?.hidePopover();
    button.current?.focus();
  };
  return (
    <>
      <button ref={button} type="button" className="model-button" popoverTarget={id} aria-haspopup="listbox">
        <span className="min-w-0">
          <span className="visually-hidden">{strings.model}: </span>
          <b className="block text-body font-medium">{form.model.name}</b>
          <span className="block text-label text-faint">{localize(form.model.description)}</span>
        </span>
        <ChevronDown className="icon text-faint" aria-hidden="true" />
      </button>
      {/* oxlint-disable-next-line jsx-a11y/interactive-supports-focus -- focus moves among the options */}
      <div
        ref={list}
        id={id}
        popover="auto"
        className="popover model-list"
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a select cannot hold descriptions
        role="listbox"
        aria-label={strings.model}
        onKeyDown={moveFocus}
        onToggle={(event) => {
          if (event.newState === "open") list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
        }}
      >
        {models.map((model) => (
          <ModelOption
            key={model.id}
            model={model}
            chosen={model.id === form.model.id}
            onChoose={() => choose(model)}
          />
        ))}
      </div>
    </>
  );
}

interface ModelOptionProps {
  model: StudioModel;
  chosen: boolean;
  onChoose: () => void;
}

function ModelOption({ model, chosen, onChoose }: ModelOptionProps) {
  const Icon = model.type === "video" ? Film : Image;
  return (
    <button
      type="button"
      className="option"
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- an option element cannot hold more than text
      role="option"
      aria-selected={chosen}
      aria-disabled={model.available ? undefined : true}
      tabIndex={chosen ? 0 : -1}
      onClick={onChoose}
    >
      <Icon className="icon" aria-hidden="true" />
      <span className="flex items-center gap-2 font-medium">
        {model.name}
        <span className="visually-hidden">, {strings.media[model.type]}</span>
        {chosen ? <Check className="icon-small" strokeWidth={1.75} aria-hidden="true" /> : null}
      </span>
      <span className="text-label text-soft">{localize(model.description)}</span>
      <span className="flex flex-wrap gap-x-3 gap-y-0.5 text-label text-faint">
        <Availability model={model} long />
        <span>{licenceName(model)}</span>
      </span>
    </button>
  );
}

/** Arrows, Home and End move through the list; unavailable models can be reached, so that their reason is read. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const options = Array.from(event.currentTarget.querySelectorAll<HTMLElement>("[role=option]"));
  const at = options.findIndex((option) => option === document.activeElement);
  const goals: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 };
  const goal = goals[event.key];
  if (goal === undefined) return;
  event.preventDefault();
  options[Math.min(options.length - 1, Math.max(0, goal))]?.focus();
}
