(* The two-point identity: for a chain of sigmoids the two-point inequality misses equality by known factors, one a layer.

     |y − x| √(|f'(x)| |f'(y)|) = |f(y) − f(x)| Π r(Δ_l),   r(Δ) = (Δ/2) / sinh(Δ/2) ≤ 1, r(0) = 1,

   where Δ_l is the difference of the preactivations of layer l at x and y. For in each layer
   σ(q) − σ(p) = sinh((q − p)/2) / (2 cosh(p/2) cosh(q/2)) and √(σ'(p) σ'(q)) = 1/(4 cosh(p/2) cosh(q/2)), and the weights cancel
   from layer to layer. Where |f'| = c at x and at y, these inputs are exactly |f(y) − f(x)| Π r(Δ_l) / c apart. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations.
Import ListNotations.
Open Scope R_scope.

Definition r (d : R) : R := if Req_EM_T d 0 then 1 else d / 2 / sinh (d / 2).

(* The product of r over the layers. *)
Fixpoint shrinkage (c : list layer) (x y : R) : R :=
  match c with
  | [] => 1
  | l :: rest => r (preactivation l y - preactivation l x) * shrinkage rest (neuron l x) (neuron l y)
  end.

Lemma sinh_above h : 0 <= h -> h <= sinh h.
Proof.
  intros H. pose proof (faster_grows_more sinh (fun z => z) cosh (fun _ => 1) 0 h H) as G.
  rewrite sinh_0 in G. cut (h - 0 <= sinh h - 0); [lra |]. apply G; intros z Z.
  - apply is_derive_Reals, derivable_pt_lim_sinh.
  - apply @is_derive_id.
  - unfold cosh. rewrite exp_Ropp. pose proof (exp_pos z).
    replace ((exp z + / exp z) / 2) with (1 + (exp z - 1) ^ 2 / (2 * exp z)) by (field; lra).
    assert (0 <= (exp z - 1) ^ 2 / (2 * exp z)) by (apply Rdiv_le_0_compat; [apply pow2_ge_0 | lra]). lra.
Qed.

Lemma sinh_odd h : sinh (- h) = - sinh h.
Proof. unfold sinh. rewrite Ropp_involutive. field. Qed.

Lemma sinh_nonzero h : h <> 0 -> sinh h <> 0.
Proof.
  intros H E. destruct (Rle_dec 0 h).
  - pose proof (sinh_above h). lra.
  - pose proof (sinh_above (- h)) as S. rewrite sinh_odd in S. lra.
Qed.

Lemma r_bounds d : 0 < r d <= 1.
Proof.
  assert (P : forall h, 0 < h -> 0 < h / sinh h <= 1).
  { intros h H. pose proof (sinh_above h ltac:(lra)). split; [apply Rdiv_lt_0_compat; lra |].
    apply (Rmult_le_reg_r (sinh h)); [lra |]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra. }
  unfold r. destruct (Req_EM_T d 0) as [| N]; [lra |].
  destruct (Rle_dec 0 d); [apply P; lra |].
  replace (d / 2 / sinh (d / 2)) with (- (d / 2) / sinh (- (d / 2)))
    by (rewrite sinh_odd; field; apply sinh_nonzero; lra).
  apply P. lra.
Qed.

Lemma sigmoid_difference p q :
  value sigmoid q - value sigmoid p = sinh ((q - p) / 2) / (2 * cosh (p / 2) * cosh (q / 2)).
Proof.
  cbv [value sigmoid]. unfold sinh, cosh.
  replace ((q - p) / 2) with (q / 2 + - (p / 2)) by field.
  replace (- (q / 2 + - (p / 2))) with (p / 2 + - (q / 2)) by ring.
  replace (exp (- p)) with (exp (- (p / 2)) ^ 2) by (simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; field).
  replace (exp (- q)) with (exp (- (q / 2)) ^ 2) by (simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; field).
  rewrite !exp_plus, !exp_Ropp. pose proof (exp_pos (p / 2)). pose proof (exp_pos (q / 2)).
  field. repeat split; nra.
Qed.

Lemma sigmoid_identity p q :
  slope sigmoid p * slope sigmoid q * (q - p) ^ 2 = r (q - p) ^ 2 * (value sigmoid q - value sigmoid p) ^ 2.
Proof.
  rewrite !sigmoid_slope, sigmoid_difference. pose proof (cosh_pos (p / 2)). pose proof (cosh_pos (q / 2)).
  unfold r. destruct (Req_EM_T (q - p) 0) as [-> | N].
  - replace (0 / 2) with 0 by field. rewrite sinh_0. field. lra.
  - assert (S : sinh ((q - p) / 2) <> 0) by (apply sinh_nonzero; lra).
    set (h := sinh _) in *. field. repeat split; lra.
Qed.

Theorem two_point_identity_squared parameters : forall x y, let c := uniform sigmoid parameters in
  Rabs (gradient c x) * Rabs (gradient c y) * (y - x) ^ 2 = (output c y - output c x) ^ 2 * shrinkage c x y ^ 2.
Proof.
  induction parameters as [| wb rest IH]; intros x y c; unfold c.
  - simpl. rewrite Rabs_R1. ring.
  - change (uniform sigmoid (wb :: rest)) with (Layer sigmoid (fst wb) (snd wb) :: uniform sigmoid rest).
    set (l := Layer sigmoid (fst wb) (snd wb)). cbn [gradient output shrinkage].
    specialize (IH (neuron l x) (neuron l y)). cbv zeta in IH. rewrite Rpow_mult_distr.
    pose proof (sigmoid_identity (preactivation l x) (preactivation l y)) as I.
    change (value sigmoid (preactivation l y) - value sigmoid (preactivation l x)) with (neuron l y - neuron l x) in I.
    replace (preactivation l y - preactivation l x) with (weight l * (y - x)) in * by (unfold preactivation; ring).
    set (g := gradient (uniform sigmoid rest)) in *. set (d := r (weight l * (y - x))) in *.
    set (a := neuron l y - neuron l x) in *.
    replace (Rabs (g (neuron l x) * neuron_slope l x) * Rabs (g (neuron l y) * neuron_slope l y) * (y - x) ^ 2)
      with (Rabs (g (neuron l x)) * Rabs (g (neuron l y))
            * (slope sigmoid (preactivation l x) * slope sigmoid (preactivation l y) * (weight l * (y - x)) ^ 2)).
    { rewrite I, (Rmult_comm (d ^ 2)), <- Rmult_assoc, IH. ring. }
    unfold neuron_slope. change (act l) with sigmoid. rewrite !Rabs_mult.
    rewrite !(Rabs_pos_eq (slope sigmoid _)) by (left; apply class_N_slope_positive, sigmoid_class_N).
    replace ((weight l * (y - x)) ^ 2) with (Rabs (weight l) ^ 2 * (y - x) ^ 2) by (rewrite pow2_abs; ring). ring.
Qed.

Theorem shrinkage_bounds c : forall x y, 0 < shrinkage c x y <= 1.
Proof.
  induction c as [| l rest IH]; intros x y; simpl; [lra |].
  pose proof (r_bounds (preactivation l y - preactivation l x)). specialize (IH (neuron l x) (neuron l y)). nra.
Qed.

Theorem two_point_identity parameters x y : let c := uniform sigmoid parameters in
  Rabs (y - x) * sqrt (Rabs (gradient c x) * Rabs (gradient c y)) = Rabs (output c y - output c x) * shrinkage c x y.
Proof.
  intros c. pose proof (two_point_identity_squared parameters x y) as I. cbv zeta in I. fold c in I.
  pose proof (shrinkage_bounds c x y) as S.
  assert (P : 0 <= Rabs (gradient c x) * Rabs (gradient c y)).
  { pose proof (Rabs_pos (gradient c x)). pose proof (Rabs_pos (gradient c y)). nra. }
  apply Rsqr_inj.
  - apply Rmult_le_pos; [apply Rabs_pos | apply sqrt_pos].
  - apply Rmult_le_pos; [apply Rabs_pos | lra].
  - rewrite !Rsqr_mult, Rsqr_sqrt by exact P. rewrite !Rsqr_pow2, !pow2_abs. lra.
Qed.

(* The exact distance of two inputs at which |f'| = c. *)
Corollary exact_width parameters c x y : let f := uniform sigmoid parameters in
  0 < c -> Rabs (gradient f x) = c -> Rabs (gradient f y) = c ->
  Rabs (y - x) = Rabs (output f y - output f x) * shrinkage f x y / c.
Proof.
  intros f C X Y. pose proof (two_point_identity parameters x y) as I. cbv zeta in I. fold f in I.
  rewrite X, Y, sqrt_square in I by lra. rewrite <- I. field. lra.
Qed.
