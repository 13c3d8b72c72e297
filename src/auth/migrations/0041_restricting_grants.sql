-- Searches ask first whether anything at all is withheld from the user; among thousands of grants that is rare.

CREATE INDEX auth_role_permissions_restricting ON auth_role_permissions (role_id)
  WHERE permission IN ('DENY', 'NO_PERMISSIONS');
