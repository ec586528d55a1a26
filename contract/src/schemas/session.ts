import Type, { type Static } from "typebox";
import { time } from "./fields.ts";

export const SessionRequest = Type.Object(
  { password: Type.Optional(Type.String({ description: "The access password, where the installation has one." })) },
  { description: "Asks for a session.", additionalProperties: false },
);
export type SessionRequest = Static<typeof SessionRequest>;

export const SessionCreated = Type.Object(
  { session_status: Type.Literal("active"), expires_at: time("When it ends unless it is used.") },
  { description: "A session was issued as the cookie gg_session." },
);
export type SessionCreated = Static<typeof SessionCreated>;

export const SessionState = Type.Object(
  { active: Type.Literal(true), expires_at: time("When it ends unless it is used.") },
  { description: "The session of the cookie is good." },
);
export type SessionState = Static<typeof SessionState>;
