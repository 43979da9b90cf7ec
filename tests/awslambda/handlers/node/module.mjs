// An ES module with top-level await.
const greeting = await Promise.resolve('hello from a module');

export const handler = async () => greeting;
