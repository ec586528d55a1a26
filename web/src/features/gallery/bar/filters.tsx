import { Grid2x2, Grid3x3, Star } from "lucide-react";
import { useState } from "react";
import type { ModeFacts, StudioModel } from "../../../api/models.ts";
import { localize } from "../../../ui/language.ts";
import { Segments } from "../../../ui/segments.tsx";
import { type GallerySearch, isSpan, type Span, spans } from "../search.ts";
import { strings } from "../strings.ts";
import { SearchField } from "./search-field.tsx";

export type Change = (change: { [Key in keyof GallerySearch]?: GallerySearch[Key] | undefined }) => void;

interface FiltersProps {
  search: GallerySearch;
  models: readonly StudioModel[];
  onChange: Change;
}

/** What narrows the gallery down. Everything chosen here stands in the address. */
export function Filters({ search, models, onChange }: FiltersProps) {
  return (
    <search className="filters" aria-label={strings.filters}>
      <SearchField value={search.q ?? ""} onChange={(q) => onChange({ q: q === "" ? undefined : q })} />
      <Segments
        label={strings.type}
        options={(["all", "image", "video"] as const).map((value) => ({ value, label: strings.types[value] }))}
        value={search.type ?? "all"}
        onChange={(type) => onChange({ type: type === "image" || type === "video" ? type : undefined })}
      />
      <Choice
        label={strings.model}
        any={strings.anyModel}
        value={search.model}
        options={models.map(({ id, name }) => [id, name])}
        onChange={(model) => onChange({ model })}
      />
      <Choice
        label={strings.mode}
        any={strings.anyMode}
        value={search.mode}
        options={modesOf(models, search).map(({ id, label }) => [id, localize(label)])}
        onChange={(mode) => onChange({ mode })}
      />
      <TimeChoice search={search} onChange={onChange} />
      <button
        type="button"
        className="btn filter-toggle"
        aria-pressed={search.favourite === true}
        onClick={() => onChange({ favourite: search.favourite ? undefined : true })}
      >
        <Star className="icon" aria-hidden="true" />
        {strings.favourites}
      </button>
      <div className="filters-end">
        <select
          className="input"
          aria-label={strings.order}
          value={search.order ?? "desc"}
          onChange={(event) => onChange({ order: event.target.value === "asc" ? "asc" : undefined })}
        >
          <option value="desc">{strings.newestFirst}</option>
          <option value="asc">{strings.oldestFirst}</option>
        </select>
        <Segments
          label={strings.size}
          options={[
            { value: "small", label: <SizeLabel icon={Grid3x3} text={strings.small} /> },
            { value: "large", label: <SizeLabel icon={Grid2x2} text={strings.large} /> },
          ]}
          value={search.size ?? "large"}
          onChange={(size) => onChange({ size: size === "small" ? "small" : undefined })}
        />
      </div>
    </search>
  );
}

function SizeLabel({ icon: Icon, text }: { icon: typeof Grid2x2; text: string }) {
  return (
    <span title={text}>
      <Icon className="icon" aria-hidden="true" />
      <span className="visually-hidden">{text}</span>
    </span>
  );
}

/** Modes of the models that the other filters leave, each once. */
function modesOf(models: readonly StudioModel[], { model, type }: GallerySearch): ModeFacts[] {
  const left = models.filter(
    (candidate) => (model === undefined || candidate.id === model) && (type === undefined || candidate.type === type),
  );
  return [...new Map(left.flatMap((each) => each.modes.map((mode) => [mode.id, mode] as const))).values()];
}

interface ChoiceProps {
  label: string;
  any: string;
  value: string | undefined;
  options: readonly (readonly [value: string, label: string])[];
  onChange: (value: string | undefined) => void;
}

function Choice({ label, any, value, options, onChange }: ChoiceProps) {
  // An address may name what the catalog does not have: it stays chosen and says what it is.
  const known = value === undefined || options.some(([id]) => id === value);
  return (
    <select
      className="input"
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)}
    >
      <option value="">{any}</option>
      {options.map(([id, text]) => (
        <option key={id} value={id}>
          {text}
        </option>
      ))}
      {known ? null : <option value={value}>{value}</option>}
    </select>
  );
}

/** A span that ends today, or two days to choose. */
function TimeChoice({ search, onChange }: { search: GallerySearch; onChange: Change }) {
  const { from, to } = search;
  const hasDays = to !== undefined || (from !== undefined && !isSpan(from));
  const [opened, setOpened] = useState(false);
  const custom = hasDays || opened;
  const choose = (value: string) => {
    setOpened(value === "custom");
    if (value !== "custom") onChange({ from: value === "" ? undefined : (value as Span), to: undefined });
    else if (from !== undefined && isSpan(from)) onChange({ from: undefined });
  };
  return (
    <>
      <select
        className="input"
        aria-label={strings.time}
        value={custom ? "custom" : (from ?? "")}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="">{strings.anyTime}</option>
        {spans.map((span) => (
          <option key={span} value={span}>
            {strings.spans[span]}
          </option>
        ))}
        <option value="custom">{strings.customTime}</option>
      </select>
      {custom ? (
        <>
          <DayField label={strings.from} value={from} max={to} onChange={(day) => onChange({ from: day })} />
          <DayField label={strings.to} value={to} min={from} onChange={(day) => onChange({ to: day })} />
        </>
      ) : null}
    </>
  );
}

interface DayFieldProps {
  label: string;
  value: string | undefined;
  min?: string | undefined;
  max?: string | undefined;
  onChange: (day: string | undefined) => void;
}

function DayField({ label, value, min, max, onChange }: DayFieldProps) {
  return (
    <input
      className="input filter-day"
      type="date"
      aria-label={label}
      value={value ?? ""}
      min={min}
      max={max}
      onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)}
    />
  );
}
