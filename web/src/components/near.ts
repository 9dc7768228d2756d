/** What is so near to the screen is fetched already. The root's margin does not reach into a column that scrolls
    by itself; the scroll margin does. */
export const NEAR: IntersectionObserverInit = { rootMargin: "400px 0px", scrollMargin: "400px 0px" };
