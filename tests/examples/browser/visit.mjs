// Uses a site through its pages, as a person would, and prints what it saw as one JSON document.
// node visit.mjs <address of the site> <pages|application>
import { chromium } from "playwright-core";

const [address, kind] = process.argv.slice(2);
const ANN = { Name: "Ann", "E-mail": "ann@example.com", Password: "correct horse" };

// A root user, as in a container, has no sandbox; nothing but our own pages is opened.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const page = await browser.newPage({ javaScriptEnabled: kind === "application" });
page.setDefaultTimeout(20_000);
const seen = [];

async function look(heading) {
  await page.getByRole("heading", { name: heading, exact: true }).waitFor();
  const alert = await page.locator("p[role=alert]").allTextContents();
  seen.push([new URL(page.url()).pathname, heading, alert.join()]);
}

async function fill(fields) {
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label).fill(value);
}

const press = (name) => page.getByRole("button", { name, exact: true }).click();
const { Name, ...credentials } = ANN;

const STORIES = {
  async pages() {
    await page.goto(`${address}/account`);
    await look("Sign in");
    await page.goto(`${address}/`);
    await page.getByRole("link", { name: "Sign up" }).click();
    await look("Sign up");
    await fill(ANN);
    await press("Sign up");
    await look("Hello Ann");
    await press("Sign out");
    await look("Acme");
    await page.goto(`${address}/account?tab=2`);
    await fill({ ...credentials, Password: "wrong horse" });
    await press("Sign in");
    await page.getByRole("alert").waitFor();
    await look("Sign in");
    await fill(credentials);
    await press("Sign in");
    await look("Hello Ann");
    seen.push(page.url().replace(address, ""));
  },
  async application() {
    await page.goto(`${address}/`);
    await look("Sign in");
    await press("I am new here");
    await look("Sign up");
    await fill(ANN);
    await press("Sign up");
    await look("Hello Ann");
    await page.getByText("Hello Ann, says FastAPI.").waitFor();
    await press("Sign out");
    await look("Sign in");
    await fill({ ...credentials, Password: "wrong horse" });
    await press("Sign in");
    await page.getByText("Invalid email or password").waitFor();
    await look("Sign in");
    await fill(credentials);
    await press("Sign in");
    await look("Hello Ann");
    await page.reload();
    await look("Hello Ann");
  },
};

try {
  await STORIES[kind]();
} finally {
  console.log(JSON.stringify(seen));
  await browser.close();
}
