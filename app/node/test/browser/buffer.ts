// What a page has to bring along: web3.js and Anchor write and read bytes by it.
export { Buffer } from "buffer";
