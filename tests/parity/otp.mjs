// What another authenticator app shows for an otpauth: URI at some moments, in seconds since the epoch.
// node otp.mjs <URI> <moment>...
import { generateSync, verifySync } from "otplib";

const [uri, ...moments] = process.argv.slice(2);
const said = new URL(uri).searchParams;
const options = { secret: said.get("secret"), digits: Number(said.get("digits")), period: Number(said.get("period")) };
const codes = moments.map((moment) => generateSync({ ...options, epoch: Number(moment) }));
const agreed = codes.every((token, place) => verifySync({ ...options, token, epoch: Number(moments[place]) }).valid);
console.log(JSON.stringify({ codes, agreed }));
