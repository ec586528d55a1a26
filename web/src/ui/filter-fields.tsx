import "./filter-fields.css";
import { type ReactNode, useId } from "react";

interface FilterFieldProps {
  label: string;
  /** Nothing, or the empty text, where the list is not narrowed down by this. */
  value: string | undefined;
  onChange: (value: string) => void;
}

/** A filter of several values. `every` names the choice of none of them; the children are the options. */
export function FilterChoice({
  label,
  value,
  every,
  onChange,
  children,
}: FilterFieldProps & { every: string; children: ReactNode }) {
  const id = useId();
  return (
    <div className="filter-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={value ?? ""} onChange={(event) => onChange(event.target.value)}>
        <option value="">{every}</option>
        {children}
      </select>
    </div>
  );
}

/** A filter by a day, "2026-01-31". */
export function FilterDay({ label, value, onChange }: FilterFieldProps) {
  const id = useId();
  return (
    <div className="filter-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        type="date"
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
