import type { CheckedRequest } from "@safelight/catalog";
import { routes } from "@safelight/contract";
import { SafelightError } from "../errors.ts";
import type { PolicyRefusal } from "../policy/content-policy.ts";
import type { Installation } from "./installation.ts";
import { refuseWithRecord } from "./refusals.ts";
import type { Call } from "./register.ts";
import { whileCalled } from "./while-called.ts";

/**
 * Stands before every task: none is made of what the content policy refuses. The audit row names the rule, and nothing of the prompt.
 * Errors: `content_refused`, `auth_unavailable` where the refusal cannot be recorded.
 */
export async function refuseUnwantedContent(
  installation: Installation,
  call: Call,
  { prompt, negative_prompt, model, mode, type }: CheckedRequest,
): Promise<void> {
  const question = { prompt, negative_prompt, model, mode, type };
  const refusal = await whileCalled(installation, call, (signal) => installation.policy.judge(question, signal));
  if (refusal === null) return;
  const { rule: reason, field } = refusal;
  const message = messageOf(refusal);
  const fields = [{ field, code: refusal.unjudged ? "not_judged" : "content_refused", message }];
  const error = new SafelightError("content_refused", message, { fields });
  await refuseWithRecord(call.context, { action: "content_refused", route: routes.generate.path, reason }, error);
}

function messageOf({ message, rule, unjudged }: PolicyRefusal): string {
  if (unjudged)
    return "This installation has prompts judged before it takes them, and that is not possible now. Try again later.";
  return message ?? `This is not drawn here: it is against the rule ${rule} of this installation.`;
}
