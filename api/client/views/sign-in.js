// The form to sign in or sign up. A page without a session shows nothing else.

const form = document.querySelector("form[data-test=sign-in]");
const [submit, other] = form.querySelectorAll("button");
const starting = document.querySelector(".starting");
const problem = form.querySelector(".problem");

export function setUpSignIn(session) {
  let joining = false;

  other.addEventListener("click", () => {
    joining = !joining;
    submit.textContent = joining ? "Sign up" : "Sign in";
    other.textContent = joining ? "Have an account? Sign in" : "No account yet? Sign up";
    form.elements.password.autocomplete = joining ? "new-password" : "current-password";
    form.elements.password.minLength = joining ? 8 : 0;
    problem.textContent = "";
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { email, password } = Object.fromEntries(new FormData(form));
    await attempt(() => (joining ? session.signUp({ email, password }) : session.signIn({ email, password })));
  });
}

// A disabled button would lose the focus, so a second press is only ignored.
async function attempt(enter) {
  if (submit.ariaDisabled) return;
  problem.textContent = "";
  submit.ariaDisabled = "true";
  try {
    await enter();
    form.reset();
  } catch (refusal) {
    problem.textContent = refusal.message;
  } finally {
    submit.ariaDisabled = null;
  }
}

export function showSignIn(state, before) {
  starting.textContent = state.session === "unknown" ? state.notice : "";
  if (state.session === before.session) return;
  document.body.dataset.session = state.session;
  if (state.session === "out") form.elements.email.focus();
}
