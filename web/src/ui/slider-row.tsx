import { type CSSProperties, type KeyboardEvent, useId, useState } from "react";
import { FieldError } from "./field-error.tsx";

interface SliderRowProps {
  label: string;
  value: number;
  minimum: number;
  maximum: number;
  step: number;
  defaultValue: number;
  integer: boolean;
  numberLabel: string;
  hint?: string | null;
  error?: string | null;
  onChange: (value: number) => void;
}

/**
 * Label, slider and number in one row. A tick stands at the default and a double click goes back to it; PageUp and
 * PageDown move ten steps. The number box takes anything typed and hands it on as it is: refusing belongs to the server.
 */
export function SliderRow(props: SliderRowProps) {
  const { label, value, minimum, maximum, step, defaultValue, hint, error, onChange } = props;
  const id = useId();
  const share = (number: number) => Math.min(1, Math.max(0, (number - minimum) / (maximum - minimum || 1)));
  const style = { "--value": share(value), "--default": share(defaultValue) } as CSSProperties;
  const onKeyDown = (event: KeyboardEvent) => {
    const tens = event.key === "PageUp" ? 10 : event.key === "PageDown" ? -10 : 0;
    if (tens === 0) return;
    event.preventDefault();
    onChange(clean(Math.min(maximum, Math.max(minimum, value + tens * step))));
  };
  return (
    <div className="param">
      <label className="param-label" htmlFor={id}>
        {label}
      </label>
      <input
        className="range"
        type="range"
        id={id}
        min={minimum}
        max={maximum}
        step={step}
        value={value}
        style={style}
        aria-describedby={hint || error ? `${id}-note` : undefined}
        onChange={(event) => onChange(clean(event.target.valueAsNumber))}
        onKeyDown={onKeyDown}
        onDoubleClick={() => onChange(defaultValue)}
      />
      <NumberBox {...props} noteId={hint || error ? `${id}-note` : undefined} />
      {error ? (
        <FieldError id={`${id}-note`} message={error} />
      ) : hint ? (
        <p className="hint" id={`${id}-note`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function NumberBox({
  value,
  numberLabel,
  error,
  step,
  integer,
  noteId,
  onChange,
}: SliderRowProps & { noteId: string | undefined }) {
  // While something is being typed it is shown as typed; otherwise the value speaks.
  const [typed, setTyped] = useState<string | null>(null);
  const commit = () => {
    const number = Number((typed ?? "").replace(",", "."));
    if (typed !== null && typed.trim() !== "" && Number.isFinite(number)) onChange(number);
    setTyped(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") commit();
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (direction === 0) return;
    event.preventDefault();
    setTyped(null);
    onChange(clean(value + direction * step));
  };
  return (
    <input
      className="input"
      inputMode={integer ? "numeric" : "decimal"}
      value={typed ?? String(value)}
      aria-label={numberLabel}
      aria-invalid={error ? true : undefined}
      aria-describedby={noteId}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={commit}
      onKeyDown={onKeyDown}
    />
  );
}

/** 0.1 + 0.2 is written as 0.3: steps are decimal, floating point is not. */
function clean(value: number): number {
  return Number(value.toFixed(6));
}
