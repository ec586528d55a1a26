import { ChevronDown, Download, Film, ImagePlus, Shuffle, Undo2 } from "lucide-react";
import type { GalleryItem } from "../../../api/gallery.ts";
import { bytesWords } from "../../../ui/figures.ts";
import { Menu } from "../../../ui/menu.tsx";
import { fileType } from "../item-words.ts";
import { strings } from "../strings.ts";
import { fileAddress, type PictureActions } from "./use-detail-actions.ts";

/** What to do with the picture, below its recipe. */
export function DetailActions({ item, actions }: { item: GalleryItem; actions: PictureActions }) {
  const words = strings.detail;
  return (
    <div className="detail-go">
      <button type="button" className="btn btn-primary" title={`${words.use} (U)`} onClick={actions.use}>
        <Undo2 className="icon" aria-hidden="true" />
        {words.use}
      </button>
      <Action icon={Shuffle} label={words.vary} keys="V" onPress={actions.vary} />
      <Action icon={ImagePlus} label={words.reference} keys="R" onPress={actions.reference} />
      <Action icon={Film} label={words.animate} onPress={actions.animate} />
      {item.result_missing ? null : (
        <span className="detail-download">
          <a className="btn" href={fileAddress(item, { recipe: true })} download title={`${words.withRecipe} (D)`}>
            <Download className="icon" aria-hidden="true" />
            <span className="detail-label">
              {words.download(fileType(item), item.result_bytes === null ? "" : bytesWords(item.result_bytes))}
            </span>
          </a>
          <Menu
            label={words.moreDownloads}
            className="btn detail-more"
            groups={[
              [
                { label: words.withRecipe, href: fileAddress(item, { recipe: true }) },
                { label: words.withoutRecipe, href: fileAddress(item, { recipe: false }) },
              ],
            ]}
          >
            <ChevronDown className="icon" aria-hidden="true" />
          </Menu>
        </span>
      )}
    </div>
  );
}

interface ActionProps {
  icon: typeof Shuffle;
  label: string;
  keys?: string;
  onPress: (() => void) | null;
}

function Action({ icon: Icon, label, keys, onPress }: ActionProps) {
  if (onPress === null) return null;
  return (
    <button type="button" className="btn" title={keys === undefined ? label : `${label} (${keys})`} onClick={onPress}>
      <Icon className="icon" aria-hidden="true" />
      <span className="detail-label">{label}</span>
    </button>
  );
}
