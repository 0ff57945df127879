// Uses the pages of a server with the keyboard alone and prints what it met as one JSON document.
// node pages.mjs <device|link|look> <JSON: {url, script, ...}>
// Packages are where the pages of the examples have them.
import { chromium } from "../examples/browser/node_modules/playwright-core/index.mjs";

const [story, given] = process.argv.slice(2);
const { url, script, link, look } = JSON.parse(given);
const ANN = { name: "Ann", email: "ann@example.com", password: "correct horse" };
const HEADERS = { origin: url };
const TAB_STOPS = 12;

// A root user, as in a container, has no sandbox; nothing but our own pages is opened.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const context = await browser.newContext({ javaScriptEnabled: script });
const page = await context.newPage();
page.setDefaultTimeout(20_000);
const seen = [];
// What a page may not do by its policy, and what fails, is said here.
// A refusal has its status, and nobody has an icon.
const STATUS = "Failed to load resource: the server responded with a status of 40";
page.on("console", (message) => {
  if (!message.text().startsWith(STATUS)) seen.push(["console", message.text()]);
});
page.on("request", (request) => {
  if (!request.url().startsWith(`${url}/`)) seen.push(["left for", request.url()]);
});

const api = (path) => `${url}/api/auth${path}`;

async function send(path, data) {
  const answer = await context.request.post(api(path), { data, headers: HEADERS });
  return answer.json();
}

// What assistive technology is told: a role, a name, and what else there is to say.
async function told() {
  const session = await context.newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const roles = ["heading", "textbox", "button", "alert", "banner", "main"];
  return nodes.filter((node) => !node.ignored && roles.includes(node.role?.value)).map((node) => {
    const states = (node.properties ?? []).filter(({ name, value }) => name === "invalid" && value.value !== "false");
    const more = [node.description?.value, node.value?.value, ...states.map(({ name }) => name)].filter(Boolean);
    return [node.role.value, node.name?.value ?? "", ...more];
  });
}

async function meet(label) {
  const main = page.locator("main");
  await main.waitFor();
  const language = await page.locator("html").getAttribute("lang");
  seen.push([label, new URL(page.url()).pathname, await page.title(), language, await told()]);
  await stands_out(label);
}

const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const name = element.labels?.[0]?.textContent ?? element.textContent;
    return element === document.body ? null : [name.trim(), `${outlineStyle} ${outlineWidth}`];
  });

// Go on with Tab until the control has the focus, which everybody must be able to see.
async function reach(name) {
  for (let stop = 0; stop < TAB_STOPS; stop += 1) {
    const found = await focused();
    if (found?.[0] === name) {
      if (found[1] !== "solid 3px") seen.push(["focus", name, found[1]]);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`no Tab leads to ${name}`);
}

async function press(name, key = "Enter") {
  await reach(name);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press(key)]);
}

async function type(name, text) {
  await reach(name);
  await page.keyboard.press("Control+a");
  await page.keyboard.type(text);
}

// Texts with too little contrast, and what does not fit a narrow window, in both color schemes.
async function stands_out(label) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const weak = await page.evaluate(() => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const luminance = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
        const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = (element) => {
        const { backgroundColor } = getComputedStyle(element);
        return backgroundColor === "rgba(0, 0, 0, 0)" ? ground(element.parentElement) : backgroundColor;
      };
      const ratio = (one, other) => {
        const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (lighter + 0.05) / (darker + 0.05);
      };
      const shown = [...document.querySelectorAll("header, main *")].filter((each) => each.textContent.trim());
      const texts = [...shown, ...document.querySelectorAll("input:not([type=hidden])")];
      return texts
        .map((each) => [each.localName, ratio(getComputedStyle(each).color, ground(each))])
        .filter(([, found]) => found < 4.5);
    });
    if (weak.length) seen.push(["contrast", label, colorScheme, weak]);
  }
  await page.emulateMedia({ colorScheme: "light" });
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) seen.push(["too wide by", label, overflow]);
  await page.setViewportSize(size);
}

const asked = () => send("/device/code", { client_id: "acme-cli", scope: "read write" });

async function poll({ device_code }) {
  const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  const answer = await send("/device/token", { grant_type, device_code, client_id: "acme-cli" });
  seen.push(["device", answer.error ?? answer.token_type]);
}

const STORIES = {
  async device() {
    const [first, second] = [await asked(), await asked()];
    const spoken = (text) => text.replaceAll(first.user_code, "FIRST").replaceAll(second.user_code, "SECOND");
    await page.goto(first.verification_uri_complete);
    seen.push(["sent to", spoken(page.url().replace(url, ""))]);
    await send("/sign-up/email", ANN);
    await page.goto(url + new URL(page.url()).searchParams.get("next"));
    await meet("offered");
    await type("Code", "NO-SUCH");
    await press("Code");
    await meet("wrong");
    await type("Code", `${first.user_code.slice(0, 4)}-${first.user_code.slice(4)}`.toLowerCase());
    await press("Continue");
    await meet("asked");
    await poll(first);
    await press("Approve");
    await meet("approved");
    await page.goto(second.verification_uri);
    await meet("empty");
    await page.keyboard.type(second.user_code);
    await press("Continue", "Space");
    await press("Deny");
    await meet("denied");
    await poll(second);
    await page.goto(page.url());
    await meet("again");
    await page.goto(first.verification_uri_complete);
    await press("Continue");
    await meet("used");
    console.log(spoken(JSON.stringify({ seen, code: first.device_code })));
  },
  async link() {
    await page.goto(link);
    await meet("opened");
    const before = await context.request.get(api("/get-session"));
    seen.push(["session", (await before.json())?.user.email ?? null]);
    await press("Sign in");
    seen.push(["sent to", page.url().replace(url, "")]);
    const after = await context.request.get(api("/get-session"));
    seen.push(["session", (await after.json())?.user.email ?? null]);
    console.log(JSON.stringify({ seen }));
  },
  async look() {
    await page.goto(link);
    const found = {};
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      found[colorScheme] = await page.getByRole("button").evaluate((button, names) => {
        const style = getComputedStyle(button);
        return names.map((name) => style[name]);
      }, look);
    }
    console.log(JSON.stringify({ seen, found }));
  },
};

try {
  await STORIES[story]();
} finally {
  await browser.close();
}
