/**
 * The rules that every installation has. They keep to general words and refuse by what stands together: neither a child at play nor a
 * statue in a museum is refused, both in one prompt are.
 */
import type { PolicyPart, PolicyRule } from "./rules.ts";

const minors = [
  ..."child childs children childrens kid kids kiddo kiddos toddler* infant infants newborn* minors underage* preteen*".split(
    " ",
  ),
  ..."preadolescent* prepubescent* pubescent* adolescent* teen teens teenage* tween tweens juvenile* youngster*".split(
    " ",
  ),
  ..."schoolgirl* schoolboy* schoolchild* schoolkid* kindergart* preschool* boy boys loli lolis shota shotas".split(
    " ",
  ),
  ...["little", "young", "small", "tiny", "teen", "school", "underage", "baby"].map((word) => `${word} girl*`),
  ...["elementary school*", "middle school*", "primary school*", "under age", "under 18", "not yet 18", "barely legal"],
  ..."ребенок ребенка ребенку ребенком ребенке ребеноч* дети детей детям детьми детях детк* детишк* дитя".split(" "),
  ..."малыш* младен* подрост* тинейдж* школьни* школяр* дошкольн* дошколят* несовершеннолетн* малолет*".split(" "),
  ..."девочк* девчонк* девчушк* мальчик* мальчиш* мальчуган* пацан* первоклассни* детсад*".split(" "),
  ...["маленьк* девуш*", "юн* девуш*", "детск*"],
];

const sexual = [
  ..."sex sexual* sexy sexi* nude nudes nudity nudist* naked* porn* erotic* hentai nsfw xxx lewd* topless".split(" "),
  ..."undress* unclothed disrobed striptease* genital* penis* vagina* orgasm* masturbat*".split(" "),
  ..."intercourse fetish* lingerie seductive* aroused sensual* bdsm".split(" "),
  ...["without clothes", "no clothes", "with no clothing", "bare breast*", "bottomless"],
  ..."секс* сексуал* эроти* порн* голый голая голое голые голых голым голой голую голого голыми голышом".split(" "),
  ..."обнаж* нагой нагая нагие нагих нагую нагим нагишом раздет* раздева* интим* нюд* ню хентай хентая".split(" "),
  ..."стрипт* генитал* мастурб* оргазм* фетиш* топлес*".split(" "),
  ...["без одежды", "нижн* бель*", "полов* акт*"],
];

/** Words for what is one and the other at once. */
const both = ["lolicon*", "shotacon*", "pedophil*", "paedophil*", "педофил*", "лоликон*", "jailbait*"];

/** Ordinary words that hold one of the above and mean neither. */
const ordinary = [
  ...["naked eye", "naked mole rat*", "naked cake*", "nude color*", "nude colour*", "nude tone*", "nude shade*"],
  ...["nude lipstick", "nude makeup", "nude heels", "same sex", "sex education", "opposite sex", "nude beige"],
  ...["no child", "no children", "no kids", "no kid", "no minors", "no teens", "without children", "without kids"],
  ...[
    "no nudity",
    "no nude*",
    "not nude",
    "non nude",
    "not naked",
    "no nsfw",
    "not sexual*",
    "non sexual*",
    "not nsfw",
  ],
  ...["inner child", "cow boy*", "boy band*", "goat kid*", "kid goat*", "kid leather", "без детей", "без детишек"],
  ...["без наготы", "без обнаж*", "без эротик*", "голые дерев*", "голых дерев*", "голыми дерев*", "голые ветв*"],
  ...["голыми ветв*", "голых ветв*", "голыми руками", "голые скал*", "голой земл*", "голые стен*", "невооружен* глаз*"],
];

/** Asking to avoid grown-ups is asking for the others. */
const grownUps = ["adult", "adults", "grown up*", "grownup*", "mature woman", "mature man", "mature body", "взросл*"];

const prompt = (terms: readonly string[], ages = false): PolicyPart => ({ field: "prompt", terms, ages });
const rule = (...all: PolicyPart[]): PolicyRule => ({ name: "sexual-minors", all, except: ordinary, message: null });

/**
 * Sexual content with minors, in English and Russian. The negative prompt says what is not wanted, so that the words may stand there;
 * only what asks for others than adults counts.
 */
export const builtInRules: readonly PolicyRule[] = [
  rule(prompt(minors, true), prompt(sexual)),
  rule(prompt(both)),
  rule(prompt(sexual), { field: "negative_prompt", terms: grownUps }),
];
