// While two releases answer, a page may not get all modules of its own, and does not start: then it is loaded again.
const AGAIN_MS = 3000;

addEventListener("load", () => {
  if (document.documentElement.dataset.started) return;
  const notice = document.querySelector("#notice");
  notice.textContent = notice.dataset.updating;
  notice.hidden = false;
  setTimeout(() => location.reload(), AGAIN_MS);
});
