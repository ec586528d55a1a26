import "./admin.css";
import { useEffect } from "react";
import { useNavigate } from "../../ui/router.tsx";
import { Gate } from "./session/gate.tsx";

/** Where operators come in; whoever is in already goes on to the dashboard. */
export function LogInPage() {
  return (
    <Gate>
      <Onward />
    </Gate>
  );
}

function Onward() {
  const navigate = useNavigate();
  useEffect(() => void navigate({ to: "/admin/dashboard", replace: true }), [navigate]);
  return <main id="main" className="admin flex-1" />;
}
