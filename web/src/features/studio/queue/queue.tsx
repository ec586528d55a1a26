import { X } from "lucide-react";
import { useCallback } from "react";
import { type Task, useTasks } from "../../../api/tasks.ts";
import { Drawer } from "../../../ui/drawer.tsx";
import { later } from "../../../ui/later.tsx";
import { useNavigate, useSearch } from "../../../ui/router.tsx";
import { narrowWidth, phoneWidth, useMediaQuery } from "../../../ui/use-media-query.ts";
import { NotifyToggle } from "./notify-toggle.tsx";
import { strings } from "./strings.ts";

// A first visit has no task yet.
const QueueList = later(() => import("./queue-list.tsx").then((module) => module.QueueList));
const Announcement = later(() => import("./announcement.ts").then((module) => module.Announcement));

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
  return (
    <>
      <output className="visually-hidden">
        {props.tasks.length > 0 ? <Announcement tasks={props.tasks} shown={props.chosen} /> : null}
      </output>
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
  const loaded = useTasks().tasks !== undefined;
  if (tasks.length > 0) return <QueueList tasks={tasks} active={active} chosen={chosen} onChoose={onChoose} />;
  return <div className="queue-body">{loaded ? <p className="p-4 text-soft">{strings.empty}</p> : null}</div>;
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
