/**
 * The rules that every installation has. They keep to general words and refuse by what stands together: neither a child at play nor a
 * statue in a museum is refused, both in one prompt are.
 */
import type { PolicyPart, PolicyRule } from "./rules.ts";

/** Terms, each ended by a comma; those of one line belong together. */
const termsOf = (...lines: string[]): readonly string[] =>
  lines.flatMap((line) => line.split(",").flatMap((term) => term.trim() || []));

const minors = termsOf(
  "child, children, childrens, kid, kids, kiddo, kiddos, toddler*, infant, infants, newborn*, minors, underage*, preteen*",
  "preadolescent*, prepubescent*, pubescent*, adolescent*, teen, teens, teenage*, tween, tweens, juvenile*, youngster*",
  "schoolgirl*, schoolboy*, schoolchild*, schoolkid*, kindergart*, preschool*, boy, boys, loli, lolis, shota, shotas",
  "little girl*, young girl*, small girl*, tiny girl*, teen girl*, school girl*, underage girl*, baby girl*",
  "elementary school*, middle school*, primary school*, high school*, highschool*, grade school*, grader, graders, school age*",
  "under age, under 18, below 18, younger than 18, less than 18, under the age of 18, not yet 18, barely legal",
  "under eighteen, below eighteen, younger than eighteen, under the age of eighteen, not yet eighteen",
  "babies, kiddie*, minor girl*, childlike, lolita*",
  "ребенок, ребенка, ребенку, ребенком, ребенке, ребеноч*, дети, детей, детям, детьми, детях, детк*, детишк*, дитя",
  "малыш*, младен*, подрост*, тинейдж*, школьни*, школяр*, дошкольн*, дошколят*, несовершеннолетн*, малолет*",
  "девочк*, девчонк*, девчушк*, мальчик*, мальчиш*, мальчуган*, пацан*, первоклассни*, детсад*, детск*",
  "маленьк* девуш*, юн* девуш*, школот*, дитятк*, лолит*, старшеклассни*, пятиклассни*, шестиклассни*, семиклассни*",
  "восьмиклассни*, девятиклассни*, десятиклассни*, одиннадцатиклассни*",
);

const sexual = termsOf(
  "sex, sexual*, sexy, sexi*, nude, nudes, nudity, nudist*, naked*, porn*, erotic*, hentai, nsfw, lewd*, topless",
  "undress*, unclothed, disrobed, striptease*, genital*, penis, penises, vagina*, ecchi, orgasm*, masturbat*",
  "intercourse, fetish*, lingerie, seductive*, aroused, sensual*, bdsm, bottomless, bare breast*, rating explicit",
  "without clothes, no clothes, with no clothing",
  "секс*, сексуал*, эроти*, порн*, голый, голая, голое, голые, голых, голым, голой, голую, голого, голыми, голышом, голеньк*, нудист*",
  "обнаж*, нагой, нагая, нагие, нагих, нагую, нагим, нагишом, раздет*, раздева*, интим*, нюд*, ню, хентай, хентая",
  "стрипт*, генитал*, мастурб*, оргазм*, фетиш*, топлес*, без одежды, нижн* бель*, полов* акт*",
);

/** Words for what is one and the other at once. */
const both = termsOf("lolicon*, shotacon*, pedophil*, paedophil*, педофил*, лоликон*, jailbait*");

/** Ordinary words that hold one of the above and mean neither. */
const ordinary = termsOf(
  "naked eye, naked mole rat*, naked cake*, nude color*, nude colour*, nude tone*, nude shade*, nude beige",
  "nude lipstick, nude makeup, nude heels, same sex, opposite sex, sex education",
  "no child, no children, no kids, no kid, no minors, no teens, without children, without kids, inner child, over 18",
  "no nudity, no nude*, not nude, non nude, not naked, no nsfw, not sexual*, non sexual*, not nsfw",
  "sex ed, sexual education, sexual health, social intercourse, toy boy*, kid rock, kid friendly, teenage mutant ninja turtle*",
  "naked tree, naked trees, naked branches, naked flame, naked flames, naked rocks, naked sword",
  "gothic lolita*, lolita fashion, lolita dress*",
  "сексуальн* воспитан*, секстет*, секстант*, раздевалк*, интимн* обстановк*, интимн* ужин*, голый пол, голом полу, голое поле",
  "голые поля, голый лес, обнаженные корни, обнаженных корней, обнажение корней, обнаженные скалы, обнаженных скал",
  "обнаженный меч, обнаженным мечом, меч обнажен, обнаженный провод, обнаженные провода",
  "cow boy*, boy band*, goat kid*, kid goat*, kid leather",
  "без детей, без детишек, без наготы, без обнаж*, без эротик*, голыми руками, невооружен* глаз*",
  "голые дерев*, голых дерев*, голыми дерев*, голые ветв*, голыми ветв*, голых ветв*, голые скал*, голой земл*, голые стен*",
);

/** Asking to avoid grown-ups is asking for the others. */
const grownUps = termsOf("adult, adults, grown up*, grownup*, mature woman, mature man, mature body, взросл*");

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
