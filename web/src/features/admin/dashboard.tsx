import "./admin.css";
import { type ReactNode, useEffect } from "react";
import { usePageTitle } from "../../ui/page-title.ts";
import { AccountDrawer } from "./accounts/account-drawer.tsx";
import { AccountsSection } from "./accounts/accounts-section.tsx";
import { LeaveDialog } from "./accounts/leave-dialog.tsx";
import { AdminBar } from "./admin-bar.tsx";
import { AuditSection } from "./audit/audit-section.tsx";
import { useAccounts } from "./data/accounts.ts";
import { DeploymentsSection } from "./deployments/deployments-section.tsx";
import { FiguresSection } from "./figures/figures-section.tsx";
import { Gist } from "./gist.tsx";
import { QueueSection } from "./queue/queue-section.tsx";
import { Rail, showSection } from "./rail.tsx";
import { usualSpan } from "./search.ts";
import { SecretsSection } from "./secrets/secrets-section.tsx";
import { Gate } from "./session/gate.tsx";
import { StorageSection } from "./storage/storage-section.tsx";
import { strings } from "./strings.ts";
import { useComingBack, useView, type View } from "./use-view.ts";

/** Everything an operator looks after, on one page. `tools` are the switches for language and theme. */
export function Dashboard({ tools }: { tools: ReactNode }) {
  return (
    <Gate>
      <AdminBar tools={tools} />
      <Desk />
    </Gate>
  );
}

function Desk() {
  usePageTitle(strings.title);
  const view = useView();
  useComingBack(view);
  useOpeningAt(view);
  return (
    <main id="main" className="admin admin-desk">
      <h1 className="visually-hidden">{strings.title}</h1>
      <Rail view={view} />
      <div className="admin-work">
        <Gist hours={view.search.hours ?? usualSpan} />
        <AccountsSection view={view} />
        <div className="admin-pair">
          <QueueSection view={view} />
          <DeploymentsSection view={view} />
        </div>
        <FiguresSection view={view} />
        <div className="admin-pair admin-pair-wide">
          <AuditSection view={view} />
          <StorageSection />
        </div>
        <SecretsSection />
      </div>
      <AccountDrawer view={view} />
      <LeaveDialog />
    </main>
  );
}

/** An address that names a section opens there, once what stands above it has its height. */
function useOpeningAt({ search: { section } }: View): void {
  const isThere = useAccounts().data !== undefined;
  useEffect(() => {
    if (isThere && section !== undefined && window.scrollY === 0) showSection(section);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only when it opens
  }, [isThere]);
}
