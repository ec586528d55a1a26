// The question before an account is disabled or deleted, between the buttons that ask and the dialog that shows it.
import type { Account } from "@safelight/contract";
import { hold } from "../held.ts";

export interface LeaveQuestion {
  account: Account;
  kind: "disable" | "delete";
}

export interface LeaveChoice {
  /** Whether what runs there is cancelled. */
  force: boolean;
}

interface Asked extends LeaveQuestion {
  answer: (choice: LeaveChoice | null) => void;
}

const asked = hold<Asked | null>(null);

export const useLeaveQuestion = asked.use;

/** Asks, and resolves with the choice, or null when nothing shall be done. */
export function askHowToLeave(question: LeaveQuestion): Promise<LeaveChoice | null> {
  asked.read()?.answer(null);
  return new Promise((resolve) => {
    const answer = (choice: LeaveChoice | null) => {
      asked.write(null);
      resolve(choice);
    };
    asked.write({ ...question, answer });
  });
}
