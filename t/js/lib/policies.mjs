// Content security policies that pages may have, and what they forbade.

export const policies = {
  self: "default-src 'self'",
  types: "default-src 'self'; require-trusted-types-for 'script'; "
    + "trusted-types 'none'",
  nonce: "script-src 'nonce-r4nd0m' 'strict-dynamic'; style-src 'self'; "
    + "object-src 'none'; base-uri 'none'"
};

// nginx's locations: /<id>.html has the policy of that id
export const underPolicies = Object.entries(policies).map(([id, policy]) =>
  `location = /${id}.html {
     add_header Content-Security-Policy "${policy}";
     ${id === 'nonce' ? 'cx_nonce r4nd0m;' : ''}
   }`).join('\n');

// runs in the page
export function noteViolations() {
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (e) =>
    window.violations.push(e.violatedDirective + e.blockedURI));
}
