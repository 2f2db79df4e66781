(* An activation with no elementary formula: erf z = (2/√π) ∫₀ᶻ exp(−t²) dt, the smooth step of normal noise.

   Its slope is log-concave, as −ln σ' is z² and a constant. One neuron has K = (4/√π) u exp(−u²) at u = 1/√2, where it is greatest
   since exp(u² − 1/2) ≥ u² + 1/2 ≥ √2 u. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations sharp neuron_width log_concave.
Import ListNotations.
Open Scope R_scope.

Definition erf (z : R) := 2 / sqrt PI * RInt (fun t => exp (- t ^ 2)) 0 z.

Lemma sqrt_PI_positive : 0 < sqrt PI.
Proof. apply sqrt_lt_R0, PI_RGT_0. Qed.

Lemma bell_continuous z : continuous (fun t => exp (- t ^ 2)) z.
Proof. eapply continuous_of_derivative. auto_derive; [exact I | reflexivity]. Qed.

Lemma erf_derive z : is_derive erf z (2 / sqrt PI * exp (- z ^ 2)).
Proof.
  apply (is_derive_scal (fun z => RInt (fun t => exp (- t ^ 2)) 0 z)).
  apply (is_derive_RInt (fun t => exp (- t ^ 2)) _ 0); [| apply bell_continuous].
  exists (mkposreal 1 Rlt_0_1). intros y _. apply (@RInt_correct R_CompleteNormedModule), (@ex_RInt_continuous R_CompleteNormedModule).
  intros t _. apply bell_continuous.
Qed.

Definition error_function : activation := Activation _ _ erf_derive.

Lemma error_function_slope_positive z : 0 < slope error_function z.
Proof.
  cbv [slope error_function]. apply Rmult_lt_0_compat; [| apply exp_pos].
  apply Rdiv_lt_0_compat; [lra | apply sqrt_PI_positive].
Qed.

Lemma error_function_slope_even : even (slope error_function).
Proof. intros z. cbv [slope error_function]. now replace ((- z) ^ 2) with (z ^ 2) by ring. Qed.

Lemma error_function_slope_log_concave : log_concave (slope error_function).
Proof.
  split; [apply error_function_slope_positive |].
  assert (C : 0 < 2 / sqrt PI) by (apply Rdiv_lt_0_compat; [lra | apply sqrt_PI_positive]).
  apply (convex_ext (fun z => z ^ 2 - ln (2 / sqrt PI))).
  - intros z. cbv [slope error_function]. rewrite ln_mult, ln_exp; [ring | exact C | apply exp_pos].
  - apply (convex_of_supporting_lines _ (fun t => 2 * t)). intros t z. pose proof (pow2_ge_0 (z - t)). lra.
Qed.

Definition K_erf : R := 4 / sqrt PI * (sqrt (/ 2) * exp (- / 2)).

Theorem error_function_neuron_width : neuron_width error_function K_erf.
Proof.
  pose proof sqrt_PI_positive as S. pose proof (sqrt_lt_R0 (/ 2) ltac:(lra)) as H. pose proof (sqrt_sqrt (/ 2) ltac:(lra)) as Q.
  unfold K_erf. set (h := sqrt (/ 2)) in *. split.
  - intros k [u [U ->]]. cbv [slope error_function].
    replace (2 * u * (2 / sqrt PI * exp (- u ^ 2))) with (4 / sqrt PI * (u * exp (- u ^ 2))) by (field; lra).
    apply Rmult_le_compat_l; [apply Rdiv_le_0_compat; lra |].
    replace (- / 2) with ((u ^ 2 - / 2) + - u ^ 2) by ring. rewrite exp_plus, <- Rmult_assoc.
    apply Rmult_le_compat_r; [left; apply exp_pos |].
    pose proof (exp_ineq1_le (u ^ 2 - / 2)) as E. pose proof (pow2_ge_0 (u - h)).
    apply Rle_trans with (h * (1 + (u ^ 2 - / 2))); [| apply Rmult_le_compat_l; lra].
    (* h (u² + 1/2) − u = h (u − h)², as 2h² = 1 *)
    replace u with (2 * (h * h) * u) at 1 by (rewrite Q; field).
    assert (0 <= h * (u - h) ^ 2) by (apply Rmult_le_pos; lra). nra.
  - intros k B. apply B. exists h. split; [lra |]. cbv [slope error_function].
    replace (h ^ 2) with (/ 2) by (simpl; rewrite Rmult_1_r; auto). field. lra.
Qed.

Corollary error_function_depth_never_widens parameters x y :
  parameters <> [] -> let f' := gradient (uniform error_function parameters) in
  Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= K_erf ^ 2.
Proof.
  apply log_concave_depth_never_widens;
    [apply error_function_slope_log_concave | apply error_function_slope_even | apply error_function_neuron_width].
Qed.
