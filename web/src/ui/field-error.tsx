import { CircleAlert } from "lucide-react";

interface FieldErrorProps {
  id?: string;
  message: string | null | undefined;
}

/** The reason a field is refused, beside the field: an icon and words, never colour alone. */
export function FieldError({ id, message }: FieldErrorProps) {
  if (!message) return null;
  return (
    <p className="field-error" id={id}>
      <CircleAlert className="icon" aria-hidden="true" />
      <span>{message}</span>
    </p>
  );
}
