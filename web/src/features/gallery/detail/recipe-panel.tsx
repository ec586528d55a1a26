import { Copy, Star, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { GalleryItem } from "../../../api/gallery.ts";
import type { StudioModel } from "../../../api/models.ts";
import { useTask } from "../../../api/tasks.ts";
import { bytesWords } from "../../../ui/figures.ts";
import { formatNumber, localize } from "../../../ui/language.ts";
import { Still } from "../../../ui/still.tsx";
import { absoluteTime, duration } from "../../../ui/time.ts";
import { fileType } from "../item-words.ts";
import { strings } from "../strings.ts";
import { EngineNotes } from "./engine-notes.tsx";
import { factsOf, type Reference, referencesOf } from "./recipe-facts.ts";
import type { PictureActions } from "./use-detail-actions.ts";

interface RecipePanelProps {
  item: GalleryItem;
  models: readonly StudioModel[];
  actions: PictureActions;
}

/** The whole recipe: words, notes of the engine, pictures it began with, settings, and where it came from. */
export function RecipePanel({ item, models, actions }: RecipePanelProps) {
  const words = strings.detail;
  const model = models.find((candidate) => candidate.id === item.model);
  const references = referencesOf(item, model);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keys
    <section className="detail-body" tabIndex={0} aria-label={words.recipeBody}>
      <div className="detail-head">
        <h2>{words.recipe}</h2>
        <HeadButton icon={Star} label={words.favourite} keys="S" pressed={item.favourite} onPress={actions.favourite} />
        <HeadButton icon={Copy} label={words.copyRecipe} onPress={actions.copyRecipe} />
        <HeadButton icon={Trash2} label={words.delete} keys="Del" onPress={actions.remove} />
      </div>
      <section>
        <p className="detail-prompt" dir="auto">
          {item.prompt}
        </p>
        {item.negative_prompt === "" ? null : (
          <p className="text-soft" dir="auto">
            <span className="text-faint">{words.without}</span> {item.negative_prompt}
          </p>
        )}
        {item.completed_prompt === null || item.completed_prompt === item.prompt ? null : (
          <p className="text-label text-soft" dir="auto">
            <span className="text-faint">{words.completed}</span> {item.completed_prompt}
          </p>
        )}
      </section>
      <EngineNotes item={item} model={model} />
      {references.length === 0 ? null : (
        <section>
          <h3>{references.length > 2 ? words.keyframes : words.references}</h3>
          <div className="detail-references">
            {references.map((reference) => (
              <ReferencePicture key={`${reference.upload} ${reference.notes.join(" ")}`} reference={reference} />
            ))}
          </div>
        </section>
      )}
      <Settings item={item} model={model} actions={actions} />
      <Origin item={item} actions={actions} />
    </section>
  );
}

interface HeadButtonProps {
  icon: typeof Star;
  label: string;
  keys?: string;
  pressed?: boolean;
  onPress: () => void;
}

function HeadButton({ icon: Icon, label, keys, pressed, onPress }: HeadButtonProps) {
  return (
    <button
      type="button"
      className="icon-btn icon-btn-small"
      aria-label={label}
      aria-pressed={pressed}
      title={keys === undefined ? label : `${label} (${keys})`}
      onClick={onPress}
    >
      <Icon className={`icon${pressed ? " fill-current" : ""}`} aria-hidden="true" />
    </button>
  );
}

function ReferencePicture({ reference }: { reference: Reference }) {
  const [gone, setGone] = useState(false);
  return (
    <figure>
      {gone ? (
        <span className="detail-picture-gone">{strings.detail.pictureGone}</span>
      ) : (
        <Still
          src={`/uploads/${encodeURIComponent(reference.upload)}`}
          alt={reference.label}
          onBroken={() => setGone(true)}
        />
      )}
      <figcaption>
        {reference.notes.map((note) => (
          <span key={note}>{note}</span>
        ))}
      </figcaption>
    </figure>
  );
}

interface PartProps {
  item: GalleryItem;
  model?: StudioModel | undefined;
  actions: PictureActions;
}

function Settings({ item, model, actions }: PartProps) {
  const words = strings.detail;
  const mode = model?.modes.find((candidate) => candidate.id === item.mode);
  return (
    <section>
      <dl className="detail-facts">
        <Row label={words.model}>{model?.name ?? item.model}</Row>
        <Row label={words.mode}>{mode ? localize(mode.label) : item.mode}</Row>
        <Row label={words.size}>
          {String(item.width)} × {String(item.height)}
        </Row>
        {item.type === "video" && item.frames && item.fps ? (
          <Row label={words.length}>{words.frames(formatNumber(item.frames), formatNumber(item.fps))}</Row>
        ) : null}
        {factsOf(item, model).map((fact) => (
          <Row key={fact.name} label={fact.label}>
            {fact.value}
          </Row>
        ))}
        <Row label={words.seed}>
          <CopyButton label={words.copySeed} keys="C" text={String(item.seed)} onPress={actions.copySeed} />
        </Row>
      </dl>
    </section>
  );
}

function Origin({ item, actions }: PartProps) {
  const words = strings.detail;
  const started = useTask(item.id).data?.started_at ?? null;
  const took = started === null ? null : Math.max(0, (Date.parse(item.finished_at) - Date.parse(started)) / 1000);
  return (
    <section>
      <dl className="detail-facts">
        <Row label={words.made}>{absoluteTime(item.created_at)}</Row>
        {took === null ? null : <Row label={words.took}>{duration(took)}</Row>}
        {item.engine === null ? null : (
          <Row label={words.on}>{item.engine === "sketch" ? words.sketch : item.engine}</Row>
        )}
        <Row label={words.file}>
          {item.result_bytes === null ? fileType(item) : words.fileFacts(fileType(item), bytesWords(item.result_bytes))}
        </Row>
        <Row label={words.catalog}>{item.catalog_version}</Row>
        <Row label={words.id}>
          <CopyButton
            label={words.copyId}
            text={item.id}
            shown={`${item.id.slice(0, 4)}…${item.id.slice(-4)}`}
            onPress={actions.copyId}
          />
        </Row>
      </dl>
    </section>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface CopyButtonProps {
  label: string;
  keys?: string;
  text: string;
  shown?: string;
  onPress: () => void;
}

function CopyButton({ label, keys, text, shown = text, onPress }: CopyButtonProps) {
  return (
    <button
      type="button"
      className="detail-copy mono"
      title={keys === undefined ? text : `${label} (${keys})`}
      onClick={onPress}
    >
      {shown}
      <Copy className="icon-small" strokeWidth={1.75} aria-hidden="true" />
      <span className="visually-hidden">, {label}</span>
    </button>
  );
}
