export interface ConfirmRequest {
  /** The question. */
  title: string;
  /** What follows from saying yes. */
  text: string;
  /** The verb on the button that does it: "Delete 3". */
  confirm: string;
  /** The verb of the safe way; "Keep" unless given. */
  keep?: string;
  danger?: boolean;
  /** A word that has to be typed first, for what cannot be brought back. */
  typed?: string;
}

export interface Question extends ConfirmRequest {
  id: number;
  answer: (agreed: boolean) => void;
}
