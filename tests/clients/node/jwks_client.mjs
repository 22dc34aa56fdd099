// SPDX-License-Identifier: Apache-2.0
// Verifies tokens with jose's remote key set, which keeps a set as long as it may: each line of
// standard input is a token, and is answered by one line of JSON.
import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [url, issuer, audience, maxAge] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(url), { cacheMaxAge: Number(maxAge) * 1000 });

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const { protectedHeader } = await jwtVerify(line.trim(), keys, { issuer, audience });
    answer = { kid: protectedHeader.kid };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
}
