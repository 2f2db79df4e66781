(* A wider condition than a log-concave slope, and isru z/√(1 + z²), which needs it.

   Write inputs as z = s tan θ with −π/2 < θ < π/2, and let g(θ) = σ'(s tan θ)/cos² θ. If σ' is even and g(α) g(β) ≤ g((α + β)/2)²,
   then, with p = s tan α, q = s tan β and θ = (β − α)/2,

     (q − p) √(σ'(p) σ'(q)) = s sin(β − α) √(g(−α) g(β)) ≤ 2s tan θ σ'(s tan θ) ≤ K.

   So in class N depth never widens. For s → ∞ the condition tends to a log-concave slope. arctan has g = 1 for s = 1, and isru g = cos. *)
From Coq Require Import Reals Lra Psatz Lia.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n interval activations sharp neuron_width.
Import ListNotations.
Open Scope R_scope.

Definition angular_slope (a : activation) (s t : R) := slope a (s * tan t) / cos t ^ 2.

Definition angle (t : R) := - PI / 2 < t < PI / 2.

Definition angle_condition (a : activation) (s : R) := forall t u, angle t -> angle u ->
  angular_slope a s t * angular_slope a s u <= angular_slope a s ((t + u) / 2) ^ 2.

Lemma cos_angle t : angle t -> 0 < cos t.
Proof. intros [A B]. apply cos_gt_0; lra. Qed.

Theorem angle_pair_bound a s K :
  0 < s -> (forall z, 0 < slope a z) -> even (slope a) -> neuron_width a K -> angle_condition a s -> pair_bound (slope a) K.
Proof.
  intros S P E W A p q. rewrite !Rabs_pos_eq by (left; apply P).
  assert (T : forall z, exists t, angle t /\ z = s * tan t).
  { intros z. exists (atan (z / s)). split; [apply atan_bound |]. rewrite tan_atan. field. lra. }
  destruct (T p) as [t [Ht ->]], (T q) as [u [Hu ->]].
  assert (Hm : angle (- t)) by (unfold angle in *; lra).
  pose proof (A (- t) u Hm Hu) as G. set (m := (- t + u) / 2) in *.
  assert (Am : angle m) by (unfold m, angle in *; lra).
  pose proof (cos_angle t Ht) as Ct. pose proof (cos_angle u Hu) as Cu. pose proof (cos_angle m Am) as Cm.
  pose proof (neuron_width_bound a P E K W (s * tan m)) as B.
  unfold angular_slope in G. rewrite cos_neg in G.
  replace (slope a (s * tan (- t))) with (slope a (s * tan t)) in G by (rewrite tan_neg, <- E; f_equal; ring).
  assert (D : tan u - tan t = 2 * sin m * cos m / (cos t * cos u)).
  { rewrite <- sin_2a. replace (2 * m) with (u - t) by (unfold m; field). rewrite sin_minus. unfold tan. field. lra. }
  apply Rle_trans with ((2 * (s * tan m) * slope a (s * tan m)) ^ 2); [| now apply pow_maj_Rabs].
  replace (slope a (s * tan t) * slope a (s * tan u) * (s * tan u - s * tan t) ^ 2)
    with ((slope a (s * tan t) / cos t ^ 2 * (slope a (s * tan u) / cos u ^ 2)) * (2 * s * sin m * cos m) ^ 2).
  2: { rewrite <- Rmult_minus_distr_l, D. field. lra. }
  replace ((2 * (s * tan m) * slope a (s * tan m)) ^ 2)
    with ((slope a (s * tan m) / cos m ^ 2) ^ 2 * (2 * s * sin m * cos m) ^ 2) by (unfold tan; field; lra).
  apply Rmult_le_compat_r; [apply pow2_ge_0 | exact G].
Qed.

(* isru, z/√(1 + z²): its slope is 1/v² with v = (1 + z²)^(3/4). *)

Definition v z := exp (3 / 4 * ln (1 + z ^ 2)).

Lemma v_convex : convex v.
Proof.
  assert (D : forall z, is_derive v z (3 / 2 * z / (1 + z ^ 2) * v z)).
  { intros z. unfold v. auto_derive; [nra |]. simpl. field. nra. }
  assert (D2 : forall z, is_derive (fun z => 3 / 2 * z / (1 + z ^ 2) * v z) z
    (v z / (1 + z ^ 2) ^ 2 * (3 / 2 + 3 / 4 * z ^ 2))).
  { intros z. evar_last.
    - apply (is_derive_mult (fun z => 3 / 2 * z / (1 + z ^ 2)) v z (3 / 2 * (1 - z ^ 2) / (1 + z ^ 2) ^ 2)).
      + auto_derive; [nra | field; nra].
      + apply D.
      + intros; apply Rmult_comm.
    - unfold plus, mult; simpl. field. nra. }
  apply (convex_of_derivative _ _ D). intros p q L.
  pose proof (faster_grows_more _ (fun _ => 0) _ (fun _ => 0) p q L (fun z _ => D2 z) (fun z _ => @is_derive_const _ _ 0 z)) as G.
  cut (0 - 0 <= 3 / 2 * q / (1 + q ^ 2) * v q - 3 / 2 * p / (1 + p ^ 2) * v p); [lra |].
  apply G. intros z _. apply Rmult_le_pos; [| nra].
  apply Rdiv_le_0_compat; [left; apply exp_pos | apply pow_lt; nra].
Qed.

Lemma isru_derive z : is_derive (fun z => z / sqrt (1 + z ^ 2)) z (/ sqrt (1 + z ^ 2) ^ 3).
Proof.
  assert (P : 0 < 1 + z ^ 2) by nra. pose proof (sqrt_lt_R0 _ P) as S.
  pose proof (sqrt_sqrt (1 + z ^ 2) ltac:(lra)) as Q.
  auto_derive; [split; [nra | split; [| exact I]]; apply Rgt_not_eq, sqrt_lt_R0; nra |].
  replace (z * (z * 1)) with (z ^ 2) by ring. set (w := sqrt (1 + z ^ 2)) in *.
  replace (z ^ 2) with (w * w - 1) by lra. field_simplify; try lra.
  replace (z ^ 2) with (w * w - 1) by lra. field. lra.
Qed.

Definition isru : activation := Activation _ _ isru_derive.

Lemma v_squared z : v z ^ 2 = sqrt (1 + z ^ 2) ^ 3.
Proof.
  assert (P : 0 < 1 + z ^ 2) by nra. unfold v.
  rewrite <- Rpower_sqrt by exact P. unfold Rpower. simpl pow. rewrite !Rmult_1_r, <- !exp_plus. f_equal. field.
Qed.

Lemma isru_class_N : class_N isru.
Proof.
  exists v. split; [apply v_convex | split].
  - intros z. apply exp_pos.
  - intros z. rewrite v_squared. reflexivity.
Qed.

Lemma isru_slope_even : even (slope isru).
Proof. intros z. cbv [slope isru]. now replace ((- z) ^ 2) with (z ^ 2) by ring. Qed.

Lemma isru_angle_condition : angle_condition isru 1.
Proof.
  assert (E : forall t, angle t -> angular_slope isru 1 t = cos t).
  { intros t Ht. pose proof (cos_angle t Ht) as C. unfold angular_slope. cbv [slope isru].
    replace (1 + (1 * tan t) ^ 2) with ((/ cos t) ^ 2).
    - rewrite sqrt_pow2 by (left; now apply Rinv_0_lt_compat). field. lra.
    - unfold tan. pose proof (sin2_cos2 t) as Q. unfold Rsqr in Q.
      replace ((/ cos t) ^ 2) with ((sin t * sin t + cos t * cos t) / cos t ^ 2) by (rewrite Q; field; lra). field. lra. }
  intros t u Ht Hu. rewrite !E by (unfold angle in *; lra).
  (* cos t cos u = cos²((t + u)/2) − sin²((t − u)/2) *)
  replace t with ((t + u) / 2 + (t - u) / 2) at 1 by field.
  replace u with ((t + u) / 2 - (t - u) / 2) at 3 by field.
  rewrite cos_plus, cos_minus. set (m := (t + u) / 2). set (d := (t - u) / 2).
  pose proof (sin2_cos2 m) as M. pose proof (sin2_cos2 d) as D. unfold Rsqr in *.
  replace ((cos m * cos d - sin m * sin d) * (cos m * cos d + sin m * sin d))
    with (cos m * cos m * (cos d * cos d) - sin m * sin m * (sin d * sin d)) by ring.
  replace (sin m * sin m) with (1 - cos m * cos m) by lra.
  replace (cos d * cos d) with (1 - sin d * sin d) by lra.
  pose proof (Rle_0_sqr (sin d)). unfold Rsqr in *. nra.
Qed.

(* One neuron: 4/(3√3), at u = 1/√2, since 27 t ≤ 4 (1 + t)³ for t ≥ 0 with equality at t = 1/2. *)
Theorem isru_neuron_width : neuron_width isru (4 / (3 * sqrt 3)).
Proof.
  pose proof (sqrt_lt_R0 3 ltac:(lra)) as S3. pose proof (sqrt_sqrt 3 ltac:(lra)) as Q3.
  split.
  - intros k [u [U ->]]. cbv [slope isru].
    assert (P : 0 < 1 + u ^ 2) by nra. pose proof (sqrt_lt_R0 _ P) as S. pose proof (sqrt_sqrt (1 + u ^ 2) ltac:(lra)) as Q.
    set (w := sqrt (1 + u ^ 2)) in *. set (r := sqrt 3) in *.
    assert (W : 0 < w ^ 3) by now apply pow_lt.
    apply (Rmult_le_reg_r (w ^ 3 * r)); [now apply Rmult_lt_0_compat |].
    replace (2 * u * / w ^ 3 * (w ^ 3 * r)) with (2 * u * r) by (field; lra).
    replace (4 / (3 * r) * (w ^ 3 * r)) with (4 / 3 * w ^ 3) by (field; lra).
    apply Rsqr_incr_0; [unfold Rsqr | nra | nra].
    replace (2 * u * r * (2 * u * r)) with (4 * u ^ 2 * (r * r)) by ring.
    replace (4 / 3 * w ^ 3 * (4 / 3 * w ^ 3)) with (16 / 9 * (w * w) ^ 3) by field.
    rewrite Q3, Q. set (t := u ^ 2) in *. assert (T : 0 <= t) by apply pow2_ge_0.
    assert (0 <= (t - / 2) ^ 2 * (4 * t + 16)) by (apply Rmult_le_pos; [apply pow2_ge_0 | lra]). lra.
  - intros k H. apply H. exists (sqrt (/ 2)). split; [apply sqrt_pos |]. cbv [slope isru].
    rewrite pow2_sqrt by lra. replace (1 + / 2) with (3 * / 2) by field. rewrite sqrt_mult by lra.
    pose proof (sqrt_lt_R0 (/ 2) ltac:(lra)) as S2. pose proof (sqrt_sqrt (/ 2) ltac:(lra)) as Q2.
    set (h := sqrt (/ 2)) in *. set (r := sqrt 3) in *.
    replace (2 * h * / (r * h) ^ 3) with (2 / ((r * r) * r * (h * h))) by (field; lra).
    rewrite Q3, Q2. field. lra.
Qed.

Theorem isru_depth_never_widens parameters x y :
  parameters <> [] -> let f' := gradient (uniform isru parameters) in
  Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= (4 / (3 * sqrt 3)) ^ 2.
Proof.
  intros N f'. replace ((x - y) ^ 2) with ((y - x) ^ 2) by ring.
  apply uniform_chain_bound; [apply class_N_two_point, isru_class_N | | exact N].
  apply (angle_pair_bound isru 1); [lra | | apply isru_slope_even | apply isru_neuron_width | apply isru_angle_condition].
  intros z. apply class_N_slope_positive, isru_class_N.
Qed.
