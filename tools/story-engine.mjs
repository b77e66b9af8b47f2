// What a story must know of the engine that its environments run on; story-docker.mjs and story-kubernetes.mjs are two.

/**
 * @typedef {object} StoryEngine
 * @property {string} command that tells the story
 * @property {string} folder of the story, in .work
 * @property {readonly string[]} ground what it stands on
 * @property {(place: Place) => NodeJS.ProcessEnv} env what all processes of the story have in their environment besides
 * @property {(story: Story) => Promise<void>} ready has it there
 * @property {(document: import("yaml").Document, ground: Ground) => void} configure makes a stack's file one for it
 * @property {(wanted: number, tell: Teller) => Promise<number>} port where a service is published that a stack's file wants there
 * @property {(means: Means, environment: string) => Promise<Record<string, string | undefined>>} running the digest that
 *   each service runs, as the engine says itself
 * @property {(means: Means) => Promise<string[]>} down removes all environments, whatever state they are in; what went
 *   wrong on the way
 * @property {(registry: string) => string} stays what is left when all is cleaned up
 * @property {(env: NodeJS.ProcessEnv, place: Place) => ByHand} byHand for whoever goes on
 */

/** @typedef {{ settings: string[], end: string[] }} ByHand lines of a shell */
/** @typedef {import("./story-folder.mjs").Place} Place */
/** @typedef {import("./story-text.mjs").Teller} Teller */
/** @typedef {import("./story-play.mjs").Story} Story */
/** @typedef {import("./story-stack.mjs").Means} Means */
/** @typedef {import("./ground.mjs").Ground} Ground */

export {};
