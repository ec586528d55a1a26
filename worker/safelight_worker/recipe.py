"""The recipe of a result travels inside the file, in the same places as the gateway's own engine puts it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from PIL.PngImagePlugin import PngInfo

_NAMESPACE = "urn:safelight:recipe:1"
_PNG_KEYWORD = "safelight"
_XMP_KEYWORD = "XML:com.adobe.xmp"
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
#: An APP1 segment of a JPEG holds this much besides its name.
LARGEST_JPEG_XMP = 0xFFFF - 2 - len(b"http://ns.adobe.com/xap/1.0/\0")

Recipe = Mapping[str, Any]


def recipe_text(recipe: Recipe) -> str:
    """The recipe as JSON without spaces."""
    return json.dumps(recipe, ensure_ascii=False, separators=(",", ":"))


def xmp_packet(recipe: Recipe) -> str:
    """A packet with the recipe as JSON and the prompt as the description that viewers show."""
    return "\n".join(
        [
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
            '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            f'xmlns:safelight="{_NAMESPACE}">',
            f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{_escaped(_prompt(recipe))}</rdf:li></rdf:Alt>'
            "</dc:description>",
            f"<safelight:recipe>{_escaped(recipe_text(recipe))}</safelight:recipe>",
            "</rdf:Description></rdf:RDF></x:xmpmeta>",
            '<?xpacket end="r"?>',
        ]
    )


def png_texts(recipe: Recipe) -> PngInfo:
    """The recipe as text chunks of a PNG: as JSON and as an XMP packet."""
    texts = PngInfo()
    texts.add_itxt(_PNG_KEYWORD, recipe_text(recipe))
    texts.add_itxt(_XMP_KEYWORD, xmp_packet(recipe))
    return texts


def film_tags(recipe: Recipe) -> dict[str, str]:
    """Tags of a film: the prompt is what players show."""
    return {"title": _prompt(recipe), "comment": recipe_text(recipe)}


def _prompt(recipe: Recipe) -> str:
    prompt = recipe.get("prompt")
    return prompt if isinstance(prompt, str) else ""


def _escaped(text: str) -> str:
    signs = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    return re.sub(r'[&<>"]', lambda match: signs[match[0]], _NO_XML.sub("", text))
