import Type, { type Static } from "typebox";
import { time } from "./fields.ts";

export const AdminKeyHeaders = Type.Object({
  "x-admin-key": Type.Optional(
    Type.String({ description: "The admin key. It counts on this route and nowhere else, and never in a query." }),
  ),
});

export const AdminSessionState = Type.Object(
  {
    active: Type.Literal(true),
    idle_timeout_seconds: Type.Integer({ minimum: 1, description: "It ends after this long without use." }),
    last_activity_at: time("The last use. Reading the session is none."),
  },
  { description: "The admin session of the cookie is good." },
);
export type AdminSessionState = Static<typeof AdminSessionState>;
