import type { Deployment } from "@safelight/contract";
import { useQueryClient } from "@tanstack/react-query";
import { useLayoutEffect, useRef } from "react";
import { client } from "../../../api/client.ts";
import { describeProblem } from "../../../api/problems.ts";
import { confirmAction } from "../../../ui/confirm.tsx";
import { showToast } from "../../../ui/toasts.tsx";
import { isUnderWay, useDeployLog, useDeployments } from "../data/deployments.ts";
import { refreshAfterChange } from "../data/refresh.ts";
import { Loaded } from "../loaded.tsx";
import { SectionHead } from "../section-head.tsx";
import { asAdmin } from "../session/admin-session.ts";
import type { View } from "../use-view.ts";
import { marks, nameOf, standingText } from "./deployment-words.ts";
import { strings } from "./strings.ts";

/** What was deployed from here, newest first, with the log of what is under way. */
export function DeploymentsSection({ view }: { view: View }) {
  const deployments = useDeployments();
  const cancel = useCancel();
  return (
    <section id="deployments" aria-labelledby="deployments-title" className="admin-section">
      <SectionHead id="deployments-title" title={strings.title} />
      <Loaded query={deployments} loading={strings.loading} failed={strings.failed}>
        {(list) =>
          list.length === 0 ? (
            <p className="admin-nothing">{strings.empty}</p>
          ) : (
            <ul className="admin-deployments">
              {list.map((deployment) => (
                <DeploymentItem
                  key={deployment.id}
                  deployment={deployment}
                  open={view.isOpen(`d.${deployment.id}`)}
                  onToggle={view.toggle}
                  onCancel={cancel}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      {deployments.hasNextPage ? (
        <button type="button" className="btn btn-quiet btn-small mt-2" onClick={() => void deployments.fetchNextPage()}>
          {strings.older}
        </button>
      ) : null}
    </section>
  );
}

interface DeploymentItemProps {
  deployment: Deployment;
  open: boolean;
  onToggle: (row: string) => void;
  onCancel: (deployment: Deployment) => void;
}

function DeploymentItem({ deployment, open, onToggle, onCancel }: DeploymentItemProps) {
  const name = nameOf(deployment);
  const underWay = isUnderWay(deployment);
  return (
    <li className="admin-deployment">
      <div className="min-w-0">
        <span className={`state ${marks[deployment.status]}`}>{name}</span>
        <p className={`text-label ${deployment.status === "failed" ? "text-danger" : "text-faint"}`}>
          {standingText(deployment)}
        </p>
      </div>
      {underWay ? (
        <button
          type="button"
          className="btn btn-small"
          aria-label={strings.cancelNamed(name)}
          onClick={() => onCancel(deployment)}
        >
          {strings.cancel}
        </button>
      ) : (
        <button
          type="button"
          className="btn btn-quiet btn-small"
          aria-label={strings.showLog(name)}
          aria-expanded={open}
          onClick={() => onToggle(`d.${deployment.id}`)}
        >
          {strings.log}
        </button>
      )}
      {deployment.status === "running" ? (
        <div className="bar bar-unknown" aria-hidden="true">
          <i />
        </div>
      ) : null}
      {underWay || open ? <Log deployment={deployment} /> : null}
    </li>
  );
}

/** How near to its end, in pixels, a log counts as followed. */
const near = 24;

function Log({ deployment }: { deployment: Deployment }) {
  const log = useDeployLog(deployment.id);
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [log]);
  return (
    <>
      {log?.failed ? <p className="text-label text-danger">{strings.logFailed}</p> : null}
      <pre
        ref={box}
        className="admin-log"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with keys
        tabIndex={0}
        role="log"
        aria-label={strings.logOf(nameOf(deployment))}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          atEnd.current = scrollTop + clientHeight >= scrollHeight - near;
        }}
      >
        {log !== null && log.from > 0 ? `${strings.logCut(log.from)}\n` : null}
        {log === null || log.lines.length === 0 ? strings.logEmpty : log.lines.join("\n")}
      </pre>
    </>
  );
}

function useCancel(): (deployment: Deployment) => void {
  const queryClient = useQueryClient();
  const cancel = async (deployment: Deployment) => {
    const name = nameOf(deployment);
    const agreed = await confirmAction({
      title: strings.cancelTitle(name),
      text: strings.cancelText(deployment.workspace),
      confirm: strings.cancelVerb,
      keep: strings.keep,
      danger: true,
    });
    if (!agreed) return;
    try {
      await asAdmin(() => client.cancelDeployment({ path: { id: deployment.id } }));
      showToast({ text: strings.cancelled });
    } catch (error) {
      const { detail, action } = describeProblem(error);
      showToast({ tone: "error", text: strings.cancelFailed, detail: `${detail} ${action}` });
    }
    refreshAfterChange(queryClient);
  };
  return (deployment) => void cancel(deployment);
}
