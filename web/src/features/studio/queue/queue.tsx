import { X } from "lucide-react";
import { useCallback, useMemo } from "react";
import { useModels } from "../../../api/models.ts";
import { useResubmit } from "../../../api/resubmit.ts";
import { type Task, useTasks } from "../../../api/tasks.ts";
import { Drawer } from "../../../ui/drawer.tsx";
import { useNavigate, useSearch } from "../../../ui/router.tsx";
import { narrowWidth, phoneWidth, useMediaQuery } from "../../../ui/use-media-query.ts";
import { useAnnouncement } from "./announcement.ts";
import { dismissEnded } from "./ended-tasks.ts";
import { NotifyToggle } from "./notify-toggle.tsx";
import { QueueList } from "./queue-list.tsx";
import { strings } from "./strings.ts";
import { useCancel } from "./use-cancel.ts";

interface QueueProps {
  tasks: readonly Task[];
  /** How many there are in all, listed or not. */
  active: { running: number; waiting: number };
  chosen: string | null;
  onChoose: (id: string) => void;
}

/** The queue: a column where there is room for three, a drawer where there is not, a page of its own on a phone. */
export function Queue(props: QueueProps) {
  const narrow = useMediaQuery(narrowWidth);
  const phone = useMediaQuery(phoneWidth);
  const { open, close } = useQueueAddress();
  const said = useAnnouncement(props.tasks, props.chosen);
  return (
    <>
      <output className="visually-hidden">{said}</output>
      {narrow ? open ? <OpenQueue {...props} phone={phone} onClose={close} /> : null : <QueueColumn {...props} />}
    </>
  );
}

function QueueColumn(props: QueueProps) {
  return (
    <aside className="studio-queue" aria-label={strings.queue}>
      <div className="queue-head">
        <QueueTitle active={props.active} />
        <NotifyToggle />
      </div>
      <QueueContent {...props} />
    </aside>
  );
}

function OpenQueue({ phone, onClose, ...props }: QueueProps & { phone: boolean; onClose: () => void }) {
  const { onChoose } = props;
  const choose = useCallback(
    (id: string) => {
      onClose();
      onChoose(id);
    },
    [onChoose, onClose],
  );
  const content = <QueueContent {...props} onChoose={choose} />;
  if (!phone) {
    return (
      <Drawer title={<QueueTitle active={props.active} plain />} tools={<NotifyToggle />} onClose={onClose}>
        {content}
      </Drawer>
    );
  }
  return (
    <section className="queue-page" aria-label={strings.queue}>
      <div className="queue-head">
        <QueueTitle active={props.active} />
        <NotifyToggle />
        <button type="button" className="icon-btn" aria-label={strings.close} title={strings.close} onClick={onClose}>
          <X className="icon" aria-hidden="true" />
        </button>
      </div>
      {content}
    </section>
  );
}

function QueueTitle({ active, plain = false }: { active: QueueProps["active"]; plain?: boolean }) {
  const words = (
    <>
      {strings.queue}{" "}
      <span className="num font-normal text-faint">{strings.summary(active.running, active.waiting)}</span>
    </>
  );
  return plain ? words : <h2 className="min-w-0 flex-1">{words}</h2>;
}

function QueueContent({ tasks, active, chosen, onChoose }: QueueProps) {
  const models = useModels().data;
  const loaded = useTasks().tasks !== undefined;
  const navigate = useNavigate();
  const { mutate: cancel } = useCancel();
  const { retry } = useResubmit(onChoose);
  const actions = useMemo(
    () => ({
      choose: onChoose,
      cancel,
      retry: (task: Task) => void retry(task),
      edit: (task: Task) => void navigate({ to: "/", search: { use: task.id, as: "settings" } }),
      dismiss: dismissEnded,
    }),
    [onChoose, cancel, retry, navigate],
  );
  return (
    <QueueList tasks={tasks} loaded={loaded} models={models ?? []} active={active} chosen={chosen} actions={actions} />
  );
}

/** Whether the address asks for the queue, and the way back. */
function useQueueAddress(): { open: boolean; close: () => void } {
  const open = useSearch({ strict: false, select: (search) => search.queue === "open" });
  const navigate = useNavigate();
  const close = useCallback(() => {
    void navigate({ to: "/", search: ({ queue: _queue, ...rest }) => rest, replace: true });
  }, [navigate]);
  return { open, close };
}
